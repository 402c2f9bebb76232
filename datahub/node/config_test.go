package node

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/deploy/examples"
	"github.com/assay-net/assay/fabricnet/ledger"
)

func TestExampleConfiguration(t *testing.T) {
	c, err := ParseConfig(examples.Owner)
	if err != nil {
		t.Fatal(err)
	}
	if c.Ledger.Trial == nil || c.Fleets[0].ChunkSize != 1024 || c.Epochs.Gather != 30*time.Second || c.Store.KeyPeriod != 24*time.Hour {
		t.Errorf("read %+v", c)
	}
	// What the example shows as defaults are the defaults.
	d := Defaults()
	d.Fleets, d.Ledger, d.Keys = c.Fleets, c.Ledger, c.Keys
	if !reflect.DeepEqual(*c, d) {
		t.Errorf("the example is not the defaults:\n%+v\n%+v", *c, d)
	}
}

// The other organisations' examples say what is theirs, and nothing else than what the manual has.
func TestExamplesOfThoseWhoOwnNothing(t *testing.T) {
	for role, text := range map[ledger.Role][]byte{ledger.RoleFinancier: examples.Lender, ledger.RoleRegulator: examples.Regulator} {
		c, err := ParseConfig(text)
		if err != nil {
			t.Fatal(err)
		}
		own := &ledger.Organisation{ID: "o", Roles: []ledger.Role{role}}
		if err := c.CheckFor(own); err != nil || c.Ledger.Profile == "" || !c.Review.Of(own) {
			t.Errorf("%s: %v, %+v", role, err, c)
		}
		if err := c.CheckFor(&ledger.Organisation{ID: "o", Roles: []ledger.Role{ledger.RoleOwner}}); err == nil {
			t.Errorf("%s: serves an owner without fleets", role)
		}
	}
	c, err := ParseConfig(examples.Owner)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CheckFor(&ledger.Organisation{ID: "o", Roles: []ledger.Role{ledger.RoleFinancier}}); err == nil {
		t.Error("a lender has fleets")
	}
	if c.Review.Of(&ledger.Organisation{Roles: []ledger.Role{ledger.RoleOwner}}) {
		t.Error("an owner verifies what others had verified")
	}
}

// Where a node is found follows from where it listens, unless the configuration says.
func TestPublishedURL(t *testing.T) {
	for _, test := range []struct{ url, grpc, want string }{
		{"", "127.0.0.1:8444", "https://127.0.0.1:8444"},
		{"", ":8444", "https://node.example.org:8444"},
		{"", "0.0.0.0:8444", "https://node.example.org:8444"},
		{"", "[::]:8444", "https://node.example.org:8444"},
		{"", "[::1]:8444", "https://[::1]:8444"},
		{"api.example.org:443", ":8444", "https://api.example.org:443"},
		{"https://api.example.org:443", ":8444", "https://api.example.org:443"},
	} {
		a := API{URL: test.url, Names: []string{"node.example.org"}}
		if got, err := a.published(test.grpc); err != nil || got != test.want {
			t.Errorf("url %q, grpc %q: %q, %v", test.url, test.grpc, got, err)
		}
	}
}

// The example is the manual: it names every field, and each has a comment above it or above the group that it begins.
func TestExampleNamesEveryField(t *testing.T) {
	var fields []string
	collect(reflect.TypeFor[Config](), &fields)
	for _, f := range fields {
		if !regexp.MustCompile(`(?m)^[ #-]*` + regexp.QuoteMeta(f) + `:`).Match(examples.Owner) {
			t.Errorf("field %s is not in the example", f)
		}
	}
}

// collect lists the fields of the configuration, without those of the key store's drivers, whose manual is their own.
func collect(t reflect.Type, to *[]string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "" {
			continue
		}
		*to = append(*to, name)
		if name != "keys" {
			collect(f.Type, to)
		}
	}
}

func TestConfigurationErrorsNameTheField(t *testing.T) {
	minimal := "ledger: {profile: p.json}\nfleets: [{id: a, battery: {rated_capacity_Ah: \"50\"}}]\n"
	if _, err := ParseConfig([]byte(minimal)); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ text, reason string }{
		"unknown field":        {minimal + "fleet: {}\n", "fleet"},
		"unknown nested field": {minimal + "store: {uri: x}\n", "uri"},
		"no ledger":            {"fleets: [{id: a}]\n", "ledger: give one of profile and trial"},
		"two ledgers":          {"ledger: {profile: p, trial: {directory: l, epoch: 1m, anchor_window: 30s}}\nfleets: [{id: a}]\n", "ledger: give one"},
		"no fleet":             {"ledger: {trial: {directory: l, epoch: 10s, anchor_window: 5s}}\n", "fleets"},
		"fleet twice":          {"ledger: {profile: p}\nfleets: [{id: a, schema: charger/v1}, {id: a, schema: charger/v1}]\n", "fleets[1]"},
		"schema":               {"ledger: {profile: p}\nfleets: [{id: a, schema: car/v1}]\n", "schema"},
		"chunk size":           {"ledger: {profile: p}\nfleets: [{id: a, schema: charger/v1, chunk_size: 100}]\n", "chunk_size is 100"},
		"pattern":              {"ledger: {profile: p}\nfleets: [{id: a, schema: charger/v1, accept: [{maker: \"[\"}]}]\n", "accept[0]"},
		"no capacity":          {"ledger: {profile: p}\nfleets: [{id: a}]\n", "rated capacity"},
		"bound of no lane":     {"ledger: {profile: p}\nfleets: [{id: a, schema: charger/v1, disagreement_bounds: {soh: \"1\"}}]\n", `no lane "soh"`},
		"short epoch":          {"ledger: {trial: {directory: l, epoch: 1s, anchor_window: 1s}}\nfleets: [{id: a, schema: charger/v1}]\n", "ledger.trial.epoch is 1s"},
		"window":               {"ledger: {trial: {directory: l, epoch: 10s, anchor_window: 1m}}\nfleets: [{id: a, schema: charger/v1}]\n", "anchor_window is 1m"},
		"schedule":             {minimal + "epochs: {close: sometimes}\n", "epochs.close"},
		"gather":               {minimal + "epochs: {gather: 1ms}\n", "epochs.gather is 1ms"},
		"late":                 {minimal + "epochs: {late: drop}\n", "epochs.late"},
		"listen":               {minimal + "broker: {listen: here}\n", "broker.listen"},
		"half a certificate":   {minimal + "broker: {certificate: c.pem}\n", "broker.certificate and broker.key"},
		"store in the clear":   {minimal + "store: {url: mysql://x}\n", "store.url"},
		"level":                {minimal + "log: {level: loud}\n", "log.level"},
		"rest alone":           {minimal + "api: {grpc: \"\"}\n", "api.listen"},
		"no port":              {minimal + "api: {grpc: localhost}\n", "api.grpc"},
		"no names":             {minimal + "api: {names: []}\n", "api.names"},
		"url":                  {minimal + "api: {url: \"https://node.example.org/path:1\"}\n", "api.url"},
		"url without port":     {minimal + "api: {url: node.example.org}\n", "api.url"},
		"issuer in the clear":  {minimal + "api: {issuers: [{url: \"http://login.example.org\"}]}\n", "api.issuers[0].url"},
		"issuer twice":         {minimal + "api: {issuers: [{url: \"https://a.example\"}, {url: \"https://a.example\"}]}\n", "api.issuers[1].url"},
		"own issuer":           {minimal + "api: {issuers: [{url: \"https://localhost:8443/issuer\"}]}\n", "api.issuers[0].url"},
		"rate":                 {minimal + "api: {requests_per_second: 0}\n", "api.requests_per_second"},
		"burst of calls":       {minimal + "api: {burst: 0}\n", "api.burst"},
		"approve":              {minimal + "requests: {approve: always}\n", "requests.approve"},
		"audience":             {minimal + "api: {audience: \"" + strings.Repeat("a", 129) + "\"}\n", "api.audience"},
		"too long":             {strings.Repeat("#", MaxConfig+1), "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseConfig([]byte(test.text)); err == nil || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("got %v, want %q", err, test.reason)
			}
		})
	}
}

func TestSchedule(t *testing.T) {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		text  string
		epoch uint64
		end   time.Time
		at    time.Time
		ok    bool
	}{
		{"every", 5, day, day, true},
		{"every 7", 14, day, day, true},
		{"every 7", 15, day, day, false},
		{"0 3 * * *", 5, day, day.Add(3 * time.Hour), true},
		{"0 0 * * *", 5, day, day, true},
		{"0 0 2 * *", 5, day, day.Add(24 * time.Hour), false}, // that is the next epoch's
	} {
		s, err := parseSchedule(test.text)
		if err != nil {
			t.Fatal(err)
		}
		at, ok := s.at(test.epoch, test.end, test.end.Add(24*time.Hour))
		if ok != test.ok || ok && !at.Equal(test.at) {
			t.Errorf("%s: %v %v", test.text, at, ok)
		}
	}
	for _, bad := range []string{"", "every 0", "every -1", "every x", "* *", "61 * * * *"} {
		if _, err := parseSchedule(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
