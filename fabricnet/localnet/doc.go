// Package localnet runs a real Hyperledger Fabric network on one machine as plain processes: orderers (raft, or four that tolerate a Byzantine one), and a
// peer and a contract service for each organisation of an Assay consortium. There is no container and no daemon; Linux and the go command are enough.
//
// [Up] makes a network in a folder, or brings the one that is there back to work: it starts what does not run and leaves alone what does. The first Up
// on a machine builds Fabric from source into a cache. [Open] gives a handle on a network to look at it ([Network.Status]), to stop it
// ([Network.Down]) or to remove it ([Destroy]). What it knows is in the folder, so that any process can do any of this:
//
//	network.json       what the network consists of; never changes but for the contract's state
//	genesis.json       the consortium's genesis, channel.block the channel's
//	profiles/ORG.json  how a client of the organisation connects
//	orgs/ORG/          the organisation's certificates and keys, ordering/ those of the ordering service
//	peers/, orderers/  configuration and ledgers
//	services/ORG/      a contract service's consent list, attestations and SRS
//	logs/NAME.log      what a process says
//	run/NAME.json      which process has the name: written when it starts, gone when it was stopped
//
// It promises that state survives Down and Up; that it signals no process but those it started, even if their numbers have been given to others; that an
// Up that fails or is cancelled stops what it had started; that two calls on one folder wait for one another.
//
// It does not promise security. All keys of all organisations are in one folder of one user, and every process runs as that user: what an organisation keeps
// from the others on a real network, it does not here. Everything listens on 127.0.0.1 only.
package localnet
