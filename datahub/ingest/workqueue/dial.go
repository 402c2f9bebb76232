package workqueue

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// Server says how a worker, or a node with a broker elsewhere, reaches the broker.
type Server struct {
	// URL is the broker's: tls://host:port, or several separated by commas. nats://, without TLS, is for this machine only.
	URL string
	// Roots are the CAs, in PEM, that the broker's certificate must come from; empty for those of the system. Name is
	// what the certificate must be for, if that is not the URL's host.
	Roots []byte
	Name  string
	// Certificate and Key are the client's own in PEM, if the broker asks for one.
	Certificate, Key []byte
	// Credentials are what the client proves itself with: the content of a NATS credentials file, the seed of a user's nkey, or
	// user:password. Empty for none.
	Credentials []byte
	// Queue and Client are the names of the queue and of who connects; they make up its private inbox.
	Queue, Client string
	Logger        *slog.Logger
}

// Dial connects. The first connection must succeed; a later one that is lost is made again for ever.
func Dial(s Server) (*nats.Conn, error) {
	if err := errors.Join(checkName("queue", s.Queue), checkName("client", s.Client)); err != nil {
		return nil, err
	}
	log := orDiscard(s.Logger)
	options := []nats.Option{
		nats.Name("assay-work/" + s.Client), nats.CustomInboxPrefix(inboxPrefix(s.Queue, s.Client)),
		nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond), nats.ReconnectJitter(250*time.Millisecond, time.Second),
		nats.ReconnectBufSize(-1),   // what cannot be sent fails, and is sent again by whoever knows what it is
		nats.IgnoreAuthErrorAbort(), // a broker that starts may know its clients a moment later
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("connection to the broker lost", "error", err)
			}
		}),
		nats.ReconnectHandler(func(c *nats.Conn) { log.Info("connected to the broker again", "server", c.ConnectedServerName()) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Warn("the broker reports an error", "error", err)
		}),
	}
	security, err := s.tls()
	if err != nil {
		return nil, err
	}
	credentials, err := s.credentials()
	if err != nil {
		return nil, err
	}
	conn, err := nats.Connect(s.URL, append(append(options, security...), credentials...)...)
	if err != nil {
		return nil, fmt.Errorf("connecting to the broker as %s: %w", s.Client, err)
	}
	return conn, nil
}

func (s Server) tls() ([]nats.Option, error) {
	secure := false
	for _, text := range bytes.Split([]byte(s.URL), []byte(",")) {
		u, err := url.Parse(string(bytes.TrimSpace(text)))
		if err != nil {
			return nil, errors.New("broker: not a URL")
		}
		if u.User != nil {
			return nil, errors.New("broker: the URL holds a password; give credentials by file")
		}
		switch address := net.ParseIP(u.Hostname()); {
		case u.Scheme == "tls":
			secure = true
		case u.Scheme != "nats":
			return nil, fmt.Errorf("broker: scheme of the URL is %q, must be tls or nats", u.Scheme)
		case u.Hostname() != "localhost" && (address == nil || !address.IsLoopback()):
			return nil, fmt.Errorf("broker: nats://%s has no TLS and is not this machine; use tls://", u.Host)
		}
	}
	if !secure {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS13, ServerName: s.Name}
	if len(s.Roots) > 0 {
		if config.RootCAs = x509.NewCertPool(); !config.RootCAs.AppendCertsFromPEM(s.Roots) {
			return nil, errors.New("broker: roots hold no certificate in PEM")
		}
	}
	if len(s.Certificate) > 0 {
		pair, err := tls.X509KeyPair(s.Certificate, s.Key)
		if err != nil {
			return nil, fmt.Errorf("broker: client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return []nats.Option{nats.Secure(config)}, nil
}

func (s Server) credentials() ([]nats.Option, error) {
	switch c := bytes.TrimSpace(s.Credentials); {
	case len(c) == 0:
		return nil, nil
	case bytes.HasPrefix(c, []byte("-----BEGIN NATS USER JWT-----")):
		return []nats.Option{nats.UserCredentialBytes(c)}, nil
	case bytes.HasPrefix(c, []byte("SU")) && !bytes.Contains(c, []byte(":")):
		pair, err := nkeys.FromSeed(c)
		if err != nil {
			return nil, errors.New("broker: credentials are not the seed of an nkey")
		}
		public, err := pair.PublicKey()
		if err != nil {
			return nil, errors.New("broker: credentials are not the seed of a user's nkey")
		}
		return []nats.Option{nats.Nkey(public, pair.Sign)}, nil
	default:
		user, password, ok := bytes.Cut(c, []byte(":"))
		if !ok {
			return nil, errors.New("broker: credentials are neither a NATS credentials file, nor an nkey's seed, nor user:password")
		}
		return []nats.Option{nats.UserInfo(string(user), string(password))}, nil
	}
}

func orDiscard(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}
