package admin

import (
	"crypto/ecdsa"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/core"
	"github.com/hyperledger/fabric-sdk-go/pkg/core/config"
	"github.com/hyperledger/fabric-sdk-go/pkg/core/cryptosuite/bccsp/sw"
	"github.com/hyperledger/fabric-sdk-go/pkg/core/logging/api"
	"github.com/hyperledger/fabric-sdk-go/pkg/fabsdk/factory/defcore"
)

// Names within the library's configuration. They mean nothing outside it.
const (
	organisationName = "organisation"
	adminName        = "admin"
	peerName         = "peer"
)

// maxOrderers bounds Config.Orderers.
const maxOrderers = 64

type object = map[string]any

// libraryConfig writes the library's configuration. It holds the key, so it goes into no error.
func libraryConfig(c Config) ([]byte, error) {
	if c.MSPID == "" || c.Channel == "" {
		return nil, errors.New("the MSP id and the channel must be named")
	}
	if len(c.Orderers) > maxOrderers {
		return nil, fmt.Errorf("%d orderers, at most %d", len(c.Orderers), maxOrderers)
	}
	certificate, err := readPEM(c.Certificate)
	if err != nil {
		return nil, fmt.Errorf("admin certificate: %w", err)
	}
	key, err := readPEM(c.Key)
	if err != nil {
		return nil, fmt.Errorf("admin key: %w", err)
	}
	if err := checkIdentity(certificate, key); err != nil {
		return nil, err
	}
	peer, err := c.Peer.entry()
	if err != nil {
		return nil, fmt.Errorf("peer %s: %w", c.Peer.Address, err)
	}
	orderers, names, err := ordererEntries(c.Orderers)
	if err != nil {
		return nil, err
	}
	return json.Marshal(object{
		"client": clientTimeouts(),
		"organizations": object{organisationName: object{
			"mspid": c.MSPID,
			"peers": []string{peerName},
			"users": object{adminName: object{"cert": inline(certificate), "key": inline(key)}},
		}},
		"channels": object{c.Channel: channelEntry(names)},
		"peers":    object{peerName: peer},
		"orderers": orderers,
	})
}

func ordererEntries(nodes []Node) (entries object, names []string, err error) {
	entries, names = object{}, []string{}
	for i, n := range nodes {
		entry, err := n.entry()
		if err != nil {
			return nil, nil, fmt.Errorf("orderer %s: %w", n.Address, err)
		}
		names = append(names, "orderer"+strconv.Itoa(i))
		entries[names[i]] = entry
	}
	return entries, names, nil
}

// checkIdentity reports what a peer would refuse without a reason.
func checkIdentity(certificate, key []byte) error {
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return fmt.Errorf("admin certificate and key: %w", err)
	}
	if _, ok := pair.PrivateKey.(*ecdsa.PrivateKey); !ok {
		return errors.New("admin key: is not an ECDSA key")
	}
	if now := time.Now(); now.After(pair.Leaf.NotAfter) || now.Before(pair.Leaf.NotBefore) {
		return fmt.Errorf("admin certificate: valid from %s to %s only", pair.Leaf.NotBefore.Format(time.RFC3339), pair.Leaf.NotAfter.Format(time.RFC3339))
	}
	return nil
}

// clientTimeouts are bounds for what a context does not reach. A caller's context ends a step earlier.
func clientTimeouts() object {
	step := stepTimeout.String()
	connect := "10s"
	return object{
		"organization": organisationName,
		"peer":         object{"timeout": object{"connection": connect, "response": step}},
		"orderer":      object{"timeout": object{"connection": connect, "response": step}},
		"discovery":    object{"timeout": object{"connection": connect, "response": "30s"}},
		"eventService": object{"timeout": object{"registrationResponse": "30s"}},
		"global":       object{"timeout": object{"query": step, "execute": step, "resmgmt": step}},
	}
}

func channelEntry(orderers []string) object {
	patience := object{"attempts": 5, "initialBackoff": "200ms", "maxBackoff": "2s", "backoffFactor": 2.0}
	return object{
		"orderers": orderers,
		"peers":    object{peerName: object{}},
		"policies": object{
			"queryChannelConfig": object{"minResponses": 1, "maxTargets": 1, "retryOpts": patience},
			"discovery":          object{"maxTargets": 1, "retryOpts": patience},
			// One peer under many names is not to be watched for lagging behind itself.
			"eventService": object{"resolverStrategy": "Balanced", "peerMonitor": "Disabled"},
		},
	}
}

func inline(b []byte) object { return object{"pem": string(b)} }

func fromRaw(raw []byte) core.ConfigProvider { return config.FromRaw(raw, "json") }

// memoryOnly has the library keep keys in memory and nowhere else.
type memoryOnly struct{ defcore.ProviderFactory }

func (*memoryOnly) CreateCryptoSuiteProvider(core.CryptoSuiteConfig) (core.CryptoSuite, error) {
	return sw.GetSuiteWithDefaultEphemeral()
}

// silence is the library's logger. What the library logs it also returns, and an administrator's output is not the place for the rest.
type silence struct{}

func (silence) GetLogger(string) api.Logger { return silence{} }

func (silence) Fatal(v ...any)                 { panic(fmt.Sprint(v...)) }
func (silence) Fatalf(format string, v ...any) { panic(fmt.Sprintf(format, v...)) }
func (silence) Fatalln(v ...any)               { panic(fmt.Sprint(v...)) }
func (silence) Panic(v ...any)                 { panic(fmt.Sprint(v...)) }
func (silence) Panicf(format string, v ...any) { panic(fmt.Sprintf(format, v...)) }
func (silence) Panicln(v ...any)               { panic(fmt.Sprint(v...)) }
func (silence) Print(...any)                   {}
func (silence) Printf(string, ...any)          {}
func (silence) Println(...any)                 {}
func (silence) Debug(...any)                   {}
func (silence) Debugf(string, ...any)          {}
func (silence) Debugln(...any)                 {}
func (silence) Info(...any)                    {}
func (silence) Infof(string, ...any)           {}
func (silence) Infoln(...any)                  {}
func (silence) Warn(...any)                    {}
func (silence) Warnf(string, ...any)           {}
func (silence) Warnln(...any)                  {}
func (silence) Error(...any)                   {}
func (silence) Errorf(string, ...any)          {}
func (silence) Errorln(...any)                 {}
