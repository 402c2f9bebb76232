package issuer_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/issuer"
	"github.com/assay-net/assay/fabricnet/ledger"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

const url = "https://issuer.example/owner"

var good = issuer.Claims{Subject: "ada", Audience: "assay:owner", Roles: []access.Role{access.Operator}, Lifetime: time.Minute}

func open(t testing.TB, dir string) *issuer.Issuer {
	t.Helper()
	return must(issuer.Open(t.Context(), dir, issuer.Options{URL: url}))
}

// guard accepts the issuer's tokens.
func guard(t testing.TB, at string, keys access.Keys) *access.Guard {
	t.Helper()
	return must(access.New(access.Options{Organisation: ledger.Organisation{ID: "owner"}, Issuers: []access.Issuer{{URL: at, Keys: keys}}}))
}

func check(t testing.TB, g *access.Guard, token string) error {
	t.Helper()
	_, done, err := g.Receive(t.Context(), []string{access.Bearer(token)}, assayv1.NodeService_GetStatus_FullMethodName, false)
	if err == nil {
		done()
	}
	return err
}

func TestMint(t *testing.T) {
	i := open(t, t.TempDir())
	g := guard(t, url, i.Keys)
	one, two := must(i.Mint(good)), must(i.Mint(good))
	if one == two {
		t.Error("two tokens are one")
	}
	for _, token := range []string{one, two} {
		if err := check(t, g, token); err != nil {
			t.Error(err)
		}
	}
	for name, change := range map[string]func(*issuer.Claims){
		"subject":          func(c *issuer.Claims) { c.Subject = "" },
		"subject: ":        func(c *issuer.Claims) { c.Subject = strings.Repeat("a", access.MaxSubject+1) },
		"audience":         func(c *issuer.Claims) { c.Audience = "" },
		"roles: none":      func(c *issuer.Claims) { c.Roles = nil },
		`role "root"`:      func(c *issuer.Claims) { c.Roles = []access.Role{"root"} },
		"lifetime is 0s":   func(c *issuer.Claims) { c.Lifetime = 0 },
		"lifetime is 1h0m": func(c *issuer.Claims) { c.Lifetime = time.Hour + time.Second },
	} {
		c := good
		change(&c)
		if _, err := i.Mint(c); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeysAreKeptInTheFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "issuer")
	token := must(open(t, dir).Mint(good))
	info := must(os.Stat(filepath.Join(dir, "keys.json")))
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %#o", info.Mode().Perm())
	}
	if folder := must(os.Stat(dir)); folder.Mode().Perm() != 0o700 {
		t.Errorf("mode of the folder %#o", folder.Mode().Perm())
	}
	again := open(t, dir)
	if err := check(t, guard(t, url, again.Keys), token); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	if err := os.Chmod(filepath.Join(dir, "keys.json"), 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := issuer.Open(t.Context(), dir, issuer.Options{URL: url}); err == nil || !strings.Contains(err.Error(), "0600") {
		t.Errorf("a file that others may read: %v", err)
	}
}

func TestRotateKeepsTokensAndDropsOldKeys(t *testing.T) {
	at := time.Now()
	i := must(issuer.Open(t.Context(), t.TempDir(), issuer.Options{URL: url, Now: func() time.Time { return at }}))
	first := must(i.Keys(t.Context())).Keys[0].KeyID
	old := must(i.Mint(good))
	if err := i.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys := must(i.Keys(t.Context())).Keys
	if len(keys) != 2 || keys[0].KeyID == first || keys[1].KeyID != first {
		t.Fatalf("%d keys", len(keys))
	}
	g := guard(t, url, i.Keys)
	for _, token := range []string{old, must(i.Mint(good))} {
		if err := check(t, g, token); err != nil {
			t.Error(err)
		}
	}
	at = at.Add(access.MaxLifetime + time.Minute)
	if keys := must(i.Keys(t.Context())).Keys; len(keys) != 1 {
		t.Errorf("%d keys an hour later", len(keys))
	}
	for range 40 {
		if err := i.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if keys := must(i.Keys(t.Context())).Keys; len(keys) != 16 {
		t.Errorf("%d keys after many rotations", len(keys))
	}
}

func TestRevokeEndsEveryToken(t *testing.T) {
	i := open(t, t.TempDir())
	token := must(i.Mint(good))
	if err := i.Revoke(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := check(t, guard(t, url, i.Keys), token); err == nil {
		t.Error("a token is good after all were revoked")
	}
}

// Several processes open one folder, and change it, at one time: they agree on the keys.
func TestFolderIsShared(t *testing.T) {
	dir := t.TempDir()
	var group sync.WaitGroup
	issuers := make([]*issuer.Issuer, 8)
	for n := range issuers {
		group.Go(func() { issuers[n] = open(t, dir) })
	}
	group.Wait()
	want := must(issuers[0].Keys(t.Context())).Keys[0].KeyID
	for _, i := range issuers {
		keys := must(i.Keys(t.Context())).Keys
		if len(keys) != 1 || keys[0].KeyID != want {
			t.Fatalf("%d keys", len(keys))
		}
	}
	for _, i := range issuers {
		group.Go(func() {
			if err := i.Rotate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if keys := must(open(t, dir).Keys(t.Context())).Keys; len(keys) != 9 {
		t.Errorf("%d keys after eight rotations", len(keys))
	}
	// One that was open before sees another's rotation.
	if err := issuers[0].Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	newest := must(issuers[0].Keys(t.Context())).Keys[0].KeyID
	for deadline := time.Now().Add(2 * time.Minute); must(issuers[1].Keys(t.Context())).Keys[0].KeyID != newest; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the rotation is not seen")
		}
	}
}

func TestFilesThatAreNoKeys(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	path := filepath.Join(dir, "keys.json")
	content := string(must(os.ReadFile(path)))
	var file struct {
		Keys []struct {
			Key map[string]string `json:"key"`
		} `json:"keys"`
	}
	if err := json.Unmarshal([]byte(content), &file); err != nil {
		t.Fatal(err)
	}
	secret := file.Keys[0].Key["d"]
	for name, text := range map[string]string{
		"empty": "", "another version": strings.Replace(content, "/v1", "/v9", 1), "no keys": `{"version":"assay-issuer/v1","keys":[]}`, "behind it": content + content,
		"unknown field": strings.Replace(content, `"created"`, `"creation"`, 1), "public": strings.Replace(content, `"d":"`+secret+`",`, "", 1) + " ",
		"half": content[:len(content)/2], "long": content + strings.Repeat(" ", 64<<10), "another curve": strings.Replace(content, "P-256", "P-384", 1),
	} {
		if text == content+" " {
			text = strings.Replace(content, `,"d":"`+secret+`"`, "", 1)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := issuer.Open(t.Context(), dir, issuer.Options{URL: url})
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, bad := range []string{"", "http://issuer.example", "https://issuer.example/{x}", "issuer"} {
		if _, err := issuer.Open(t.Context(), t.TempDir(), issuer.Options{URL: bad}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// A verifier elsewhere discovers the issuer over TLS, as it would any provider; when the issuer is down, it says so and lets nobody in.
func TestDiscovery(t *testing.T) {
	mux := http.NewServeMux()
	server := httptest.NewTLSServer(mux)
	defer server.Close()
	i := must(issuer.Open(t.Context(), t.TempDir(), issuer.Options{URL: server.URL + "/realm"}))
	mux.Handle("/realm/", i.Handler())
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	g := guard(t, i.URL(), access.Remote(i.URL(), roots))
	if err := check(t, g, must(i.Mint(good))); err != nil {
		t.Errorf("discovered: %v", err)
	}
	other := guard(t, i.URL(), access.Remote(i.URL(), roots))
	server.Close()
	err := check(t, other, must(i.Mint(good)))
	if err == nil || !strings.Contains(err.Error(), "Unavailable") || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("an issuer that is down: %v", err)
	}
	if err := check(t, g, must(i.Mint(good))); err != nil {
		t.Errorf("one whose keys are known: %v", err)
	}
}

func TestHandlerServesNothingElse(t *testing.T) {
	i := open(t, t.TempDir())
	server := httptest.NewServer(i.Handler())
	defer server.Close()
	for path, want := range map[string]int{
		"/owner/.well-known/openid-configuration": 200, "/owner/jwks.json": 200, "/owner/keys.json": 404, "/owner/token": 404, "/jwks.json": 404, "/owner/": 404, "/owner/lock": 404,
	} {
		response := must(http.Get(server.URL + path))
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, response.StatusCode, want)
		}
	}
	response := must(http.Post(server.URL+"/owner/jwks.json", "application/json", nil))
	_ = response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("post: %d", response.StatusCode)
	}
}

func TestKeysAreNotPrinted(t *testing.T) {
	dir := t.TempDir()
	i := open(t, dir)
	_ = must(i.Mint(good))
	content := string(must(os.ReadFile(filepath.Join(dir, "keys.json"))))
	at := strings.Index(content, `"d":"`)
	if at < 0 {
		t.Fatal("no key in the file")
	}
	secret := content[at+5 : at+45]
	for _, form := range []string{"%v", "%+v", "%#v", "%s"} {
		if strings.Contains(fmt.Sprintf(form, i), secret) {
			t.Errorf("%s prints the key", form)
		}
	}
}
