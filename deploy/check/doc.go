// Package check holds what is deployed to what it deploys: its tests load the Compose files, the systemd units and the Helm chart with the programs
// and libraries of those who run them, parse the configurations in them as a node does, and compare ports, secrets, folders and bounds on both sides.
//
// They start no container, no unit and no cluster. Whether an image can be built and pulled, and what a cluster's own policies refuse, they do not say.
package check
