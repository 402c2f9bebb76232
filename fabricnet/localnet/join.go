package localnet

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// joinOrderers gives every orderer the channel's genesis block.
func joinOrderers(ctx context.Context, n *Network) error {
	for i := range n.state.Orderers {
		o := &n.state.Orderers[i]
		joined, err := osnadmin(ctx, n, o, "list")
		if err != nil {
			return fmt.Errorf("asking %s for its channels: %w", o.Name, err)
		}
		if strings.HasPrefix(joined, "Status: 200") {
			continue
		}
		answer, err := osnadmin(ctx, n, o, "join", "--config-block", n.layout.channelBlock())
		if err != nil {
			return fmt.Errorf("joining %s to the channel: %w", o.Name, err)
		}
		if !strings.HasPrefix(answer, "Status: 201") {
			return fmt.Errorf("joining %s to the channel: it answers %q\n%s", o.Name, strings.TrimSpace(answer), tail(n.layout.log(o.Name)))
		}
	}
	return nil
}

// osnadmin runs Fabric's orderer administration on one orderer. It ends with status 0 whatever the orderer answers.
func osnadmin(ctx context.Context, n *Network, o *orderer, subcommand string, more ...string) (string, error) {
	args := append([]string{
		"channel", subcommand, "--channelID", n.state.Channel, "--orderer-address", address(o.AdminPort), "--ca-file", n.layout.orderingTLSRoots(),
		"--client-cert", n.layout.orderingAdmin("tls", "client.crt"), "--client-key", n.layout.orderingAdmin("tls", "client.key"),
	}, more...)
	c := exec.CommandContext(ctx, fabric(n.state.Binaries).bin("osnadmin"), args...)
	c.Env = baseEnvironment()
	out, err := output(ctx, c)
	return string(out), err
}
