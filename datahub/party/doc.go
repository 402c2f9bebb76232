// Package party is the part of a node that takes part in queries over encrypted data: their sessions among owners, a regulator and the one who asks (package session of mpc), and private
// scores between two (package scoring). One node of an organisation runs one [Manager], over the ledger, the organisation's key store, a folder, and the nodes of the others.
//
//	owner      decides about its part of a query as a desk decides about requests: what the contract would refuse it refuses, with the contract's reasons, as it does what it could not
//	           answer anyway; the rest it approves, or leaves to a person where a policy or the node's configuration wants one. Then it gives its part in every session of the query.
//	regulator  takes part in sessions that are as their query has them, and ends those that are not.
//	requester  begins a session when all parts are approved; ends one that does not get on, and begins another; keeps what it learns, for its people.
//
// # What it promises
//
// It begins with what the ledger has, and with what its folder has: a node that was killed, wherever, goes on from there. What package session promises of a party's memory is promised of
// this one: what is said is stored before, what is stored is made no second time, and a folder that was restored from a backup takes no further part in what was said since.
//
// An owner's part of a federated query is made once, for all sessions of the query: noise is drawn once, and whether the cohort is too small is found out once. If the ledger has an input of
// this owner's, of whatever session, and the folder has no part, none is made ever: the owner declines.
//
// Before it makes a key, a member looks itself whether a session is what all owners approved: that members, threshold, parameters and times are the query's, that the numbers of batteries
// are those that the ledger has of the fleets, that at least half of the time for inputs is left, so that no session was held back until only some can answer in time, and that nothing
// has to be kept for longer than Options.Longest. An owner also asks the contract whether its approval still stands, here and before it adds up its records: a no
// is believed when it was said twice.
//
// What is kept is sealed, each value under a key of its own in the key store, which is destroyed with the value: shares, keys and models of sessions that are over open from no copy of the
// folder. When a session expires its keys are destroyed by this node's clock and folder alone, even if the ledger does not answer. What is left for disputes is destroyed when the query
// expires. What the requester learned is kept.
//
// Nobody is given what is not for him, whatever he asks for, and a stranger not even that there is a session.
//
// # Giving up
//
// The requester's node ends a session when nothing was recorded in it for Options.Patience, twice as long with each session that failed before; while inputs may come it waits
// for them besides. It begins the next a while later. The ledger takes eight. It begins none that cannot be answered: because too few owners are left that did not decline, or because a
// score's owner ended one, or its model is not here, or because the contract allows a part no more. Once a session has named its sum, or an owner has answered a score, there is no other, and it
// is waited for until it expires; every member ends those beside it.
//
// # What it does not
//
// It does not know a person: see package desk. It asks no query: whoever asks a score gives it the model before. It believes its organisation's own peer in everything.
//
// It does not prove that an owner's totals are those of the anchored records: it compares the number of records with that of the attestations, and believes its own storage in the rest.
//
// That a query is answered, or when, is not in the hands of one node. A member that is malicious can end every session.
//
// One key store and folder are one node's. A second Manager over both, by mistake or for a moment, does no harm: they are one party. Two nodes of one organisation with folders of their own are
// two parties with one name: whichever of them the ledger has the key of goes on, the other destroys its part of the session, and the others may ask the wrong one. Only one of them may have a Manager.
package party
