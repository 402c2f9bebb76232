package ingest

import (
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
)

// maxConsumers bounds the consumers of each stream in the devices' account. The node has one, and the server one for each of its starts in
// the last while. A device that subscribes with QoS 1 has one too, which costs memory and serves nothing, since nothing that the
// node sends is kept: this many may.
const maxConsumers = 1000

// options are the server's. What has no field of its own in server.Options is set through the text of a configuration.
func (e Embedded) options(issuer *issuer, users map[string]user, c *callout) (*server.Options, error) {
	var o server.Options
	if err := o.ProcessConfigString(e.config(issuer, users)); err != nil {
		return nil, fmt.Errorf("server configuration: %w", err)
	}
	o.NoSigs, o.DisableJetStreamBanner, o.DontListen = true, true, true
	o.StoreDir, o.JetStreamKey, o.JetStreamCipher = e.Directory, hex.EncodeToString(e.Key), server.ChaCha
	o.SyncAlways, o.SyncInterval = e.SyncAlways, e.SyncInterval
	o.MaxConn, o.MaxPayload = e.MaxConnections, maxMessage
	o.AuthTimeout, o.MQTT.AuthTimeout, o.MQTT.TLSTimeout = authSeconds, connectSeconds, authSeconds
	if err := splitAddress(e.Listen, &o.MQTT.Host, &o.MQTT.Port); err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	o.MQTT.TLSConfig = deviceTLS(e.TLS, c)
	if e.Workers == nil {
		return &o, nil
	}
	if err := splitAddress(e.Workers.Listen, &o.Host, &o.Port); err != nil {
		return nil, fmt.Errorf("workers: listen: %w", err)
	}
	o.DontListen, o.TLSConfig = false, e.Workers.TLS.Clone()
	o.TLSConfig.MinVersion = tls.VersionTLS13
	o.TLSTimeout = authSeconds
	return &o, nil
}

func splitAddress(address string, host *string, port *int) error {
	h, p, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("address %q: %w", address, err)
	}
	number, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		return fmt.Errorf("address %q: port: %w", address, err)
	}
	*host, *port = h, int(number)
	if number == 0 {
		*port = -1 // the server's way to say: any free one
	}
	return nil
}

// deviceTLS asks every client for a certificate and leaves who issued it to the registry, since makers come and go while
// the server runs. The certificate is looked at in the handshake, so that whoever has none does not get as far as
// MQTT; the authorisation looks again.
func deviceTLS(base *tls.Config, c *callout) *tls.Config {
	config := base.Clone()
	config.MinVersion, config.MaxVersion = tls.VersionTLS13, tls.VersionTLS13
	config.ClientAuth, config.ClientCAs = tls.RequireAnyClientCert, nil
	config.GetConfigForClient = c.handshakes(config.Clone())
	return config
}

func (e Embedded) config(issuer *issuer, users map[string]user) string {
	own := []string{users[accountDevices].public, users[accountWork].public, users[accountAuth].public}
	var exports, workers string
	if all := e.Workers.accounts(); len(all) > 0 {
		exports = ", exports: " + workqueue.Exports(all)
		for i, a := range all {
			workers += a.Config(accountWork)
			own = append(own, e.Workers.Users[i].Key)
		}
	}
	return fmt.Sprintf(`
server_name: %s
jetstream { max_memory_store: 64MB, max_file_store: %d }
accounts {
  %s { jetstream { max_memory: 32MB, max_file: %d, max_consumers: %d }, limits { max_payload: %d, max_subs: %d }, users: [ { nkey: %s } ] }
  %s { jetstream { max_memory: 32MB, max_file: %d }, users: [ { nkey: %s } ]%s }
  %s%s { users: [ { nkey: %s } ] }
  %s {}
}
system_account: %s
authorization { auth_callout { issuer: %s, account: %s, auth_users: [ %s ] } }
mqtt { port: -1, reject_qos2_publish: true, downgrade_qos2_subscribe: true }
`, serverName, e.MaxStore+e.WorkStore,
		accountDevices, e.MaxStore, maxConsumers, maxDevicePayload, maxSubs, users[accountDevices].public,
		accountWork, e.WorkStore, users[accountWork].public, exports,
		workers, accountAuth, users[accountAuth].public,
		accountSystem, accountSystem, issuer.public, accountAuth, strings.Join(own, ", "))
}
