package ingest

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"runtime"
	"sync"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
)

const (
	calloutSubject = "$SYS.REQ.USER.AUTH"
	calloutXKey    = "Nats-Server-Xkey"
	// maxCallout bounds an authorisation request: a chain of PEM certificates and what the client said of itself.
	maxCallout = 64 << 10
	// maxDevicePayload bounds one message of a device. It is more than a frame may have, so that an oversize frame gets a reason
	// in the quarantine, as long as it is not absurd.
	maxDevicePayload = 2 * frame.MaxFrame
	// maxSubs bounds the subscriptions of one connection.
	maxSubs      = 64
	allowTimeout = 5 * time.Second
)

// callout answers the servers' question whether a client may connect, and as what. Embedded and external servers ask it
// the same way.
type callout struct {
	registry Registry
	keys     *issuer
	account  string
	session  time.Duration // 0 for without limit
	log      *slog.Logger
	metrics  *brokerMetrics
	conn     *nats.Conn
	slots    chan struct{}
	closers  []func()

	waiting   *waiting
	mu        sync.Mutex
	connected map[commit.DeviceID]*presence
	swept     time.Time
	banned    map[commit.DeviceID]time.Time
}

func newCallout(registry Registry, keys *issuer, account string, session time.Duration, log *slog.Logger, metrics *brokerMetrics) *callout {
	return &callout{
		registry: registry, keys: keys, account: account, session: session, log: log, metrics: metrics,
		slots:     make(chan struct{}, 2*runtime.GOMAXPROCS(0)),
		waiting:   newWaiting(),
		connected: map[commit.DeviceID]*presence{}, banned: map[commit.DeviceID]time.Time{},
	}
}

// serve answers requests that come over the connection, which it owns from now on. Several are answered at a time, since each costs
// signatures and thousands of devices may come back at once.
func (c *callout) serve(conn *nats.Conn) error {
	c.conn = conn
	_, err := conn.QueueSubscribe(calloutSubject, "assay-node", func(msg *nats.Msg) {
		c.slots <- struct{}{}
		go func() {
			defer func() { <-c.slots }()
			c.answer(msg)
		}()
	})
	if err == nil {
		err = conn.Flush()
	}
	if err != nil {
		return fmt.Errorf("serving authorisations: %w", err)
	}
	return nil
}

func (c *callout) close() {
	if c == nil {
		return
	}
	c.conn.Close()
	for _, f := range c.closers {
		f()
	}
}

func (c *callout) answer(msg *nats.Msg) {
	began := time.Now()
	defer func() { c.metrics.authoriseSeconds.Observe(time.Since(began).Seconds()) }()
	server := msg.Header.Get(calloutXKey)
	request, err := c.open(msg.Data, server)
	if err != nil {
		// Not from a server of ours, or no longer: there is nobody to answer.
		c.metrics.authorised.WithLabelValues("malformed").Inc()
		return
	}
	response := jwt.NewAuthorizationResponseClaims(request.UserNkey)
	response.Audience = request.Server.ID
	id, reason, err := c.decide(request)
	if err == nil && !c.remember(id, place{request.Server.ID, request.ClientInformation.ID}, began) {
		reason, err = "too_often", errTooOften
	}
	if err == nil {
		response.Jwt, err = c.grant(request.UserNkey, id)
		reason = "internal"
	}
	if err != nil {
		c.metrics.authorised.WithLabelValues(reason).Inc()
		c.log.Debug("device refused", "reason", reason, "error", err, "host", request.ClientInformation.Host)
		response.Error = "refused: " + reason
	} else {
		c.metrics.authorised.WithLabelValues("allowed").Inc()
	}
	token, err := response.Encode(c.keys.account)
	if err != nil {
		c.log.Error("authorisation could not be signed", "error", err)
		return
	}
	c.reply(msg, server, []byte(token))
}

func (c *callout) reply(msg *nats.Msg, server string, token []byte) {
	if c.keys.curve != nil {
		sealed, err := c.keys.curve.Seal(token, server)
		if err != nil {
			return
		}
		token = sealed
	}
	if err := msg.Respond(token); err != nil {
		c.log.Debug("authorisation not sent", "error", err)
	}
}

// open reads a request. Only servers can send one: no client may publish on its subject.
func (c *callout) open(data []byte, server string) (*jwt.AuthorizationRequestClaims, error) {
	if len(data) > maxCallout {
		return nil, fmt.Errorf("authorisation request has %d bytes, at most %d", len(data), maxCallout)
	}
	if c.keys.curve != nil {
		plain, err := c.keys.curve.Open(data, server)
		if err != nil {
			return nil, fmt.Errorf("authorisation request: %w", err)
		}
		data = plain
	}
	request, err := jwt.DecodeAuthorizationRequestClaims(string(data))
	if err != nil {
		return nil, fmt.Errorf("authorisation request: %w", err)
	}
	if !nkeys.IsValidPublicUserKey(request.UserNkey) {
		return nil, errors.New("authorisation request names no user key")
	}
	return request, nil
}

// decide is the whole rule: over MQTT, with TLS and a client certificate of the form that devices have, by the device's own
// name, not banned, and allowed by the registry.
func (c *callout) decide(request *jwt.AuthorizationRequestClaims) (id commit.DeviceID, reason string, err error) {
	client := request.ClientInformation
	if client.Type != "mqtt" {
		return id, "protocol", fmt.Errorf("a client of type %q", client.Type)
	}
	der, err := leaf(request.TLS)
	if err != nil {
		return id, "certificate", err
	}
	certificate, reason, err := c.admit(der)
	if err != nil {
		return id, reason, err
	}
	id = certificate.Key.DeviceID()
	c.waiting.leave(caller{hostOf(client.Host), id})
	if client.MQTT != id.String() {
		return id, "client_id", fmt.Errorf("device %s came under another name", id)
	}
	return id, "", nil
}

// admit says whether a certificate's holder may connect. It costs a device that is refused for a while as little as can be.
func (c *callout) admit(der []byte) (certificate *commit.DeviceCertificate, reason string, err error) {
	certificate, err = commit.ParseDeviceCertificate(der)
	if err != nil {
		return nil, "certificate", err
	}
	if id := certificate.Key.DeviceID(); c.isBanned(id) {
		return nil, "banned", fmt.Errorf("device %s is refused for a while", id)
	}
	ctx, cancel := context.WithTimeout(context.Background(), allowTimeout)
	defer cancel()
	if err := c.registry.Allow(ctx, certificate); err != nil {
		return nil, "not_allowed", err
	}
	return certificate, "", nil
}

// leaf finds the client's own certificate, which servers put first, whether or not they verified its chain.
func leaf(tls *jwt.ClientTLS) ([]byte, error) {
	if tls == nil {
		return nil, errors.New("no TLS")
	}
	chain := tls.Certs
	if len(tls.VerifiedChains) > 0 {
		chain = tls.VerifiedChains[0]
	}
	if len(chain) == 0 {
		return nil, errors.New("no client certificate")
	}
	block, rest := pem.Decode([]byte(chain[0]))
	if block == nil || block.Type != "CERTIFICATE" || len(rest) != 0 {
		return nil, errors.New("client certificate is not PEM")
	}
	if _, err := x509.ParseCertificate(block.Bytes); err != nil {
		return nil, fmt.Errorf("client certificate: %w", err)
	}
	return block.Bytes, nil
}

// grant is what a device may do: publish to its own up and hello, subscribe to its own down.
func (c *callout) grant(user string, id commit.DeviceID) (string, error) {
	claims := jwt.NewUserClaims(user)
	claims.Name = id.String()
	claims.Audience = c.account
	claims.Permissions.Pub.Allow.Add(subject(id, wordUp), subject(id, wordHello))
	claims.Permissions.Sub.Allow.Add(subject(id, wordDown))
	claims.Limits.Subs, claims.Limits.Payload = maxSubs, maxDevicePayload // a server in configuration mode takes the account's instead
	claims.AllowedConnectionTypes.Add(jwt.ConnectionTypeMqtt)
	if c.session > 0 {
		claims.Expires = time.Now().Add(c.session - jitter(c.session/10)).Unix()
	}
	token, err := claims.Encode(c.keys.account)
	if err != nil {
		return "", fmt.Errorf("signing for device %s: %w", id, err)
	}
	return token, nil
}

// jitter is up to d: devices that came at one time need not come back at one.
func jitter(d time.Duration) time.Duration {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(d)+1))
	if err != nil {
		return 0
	}
	return time.Duration(n.Int64())
}
