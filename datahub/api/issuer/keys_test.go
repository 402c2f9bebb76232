package issuer

import (
	"encoding/json"
	"testing"
	"time"
)

func FuzzParseKeys(f *testing.F) {
	ring, err := (&keyring{}).rotated(time.Now())
	if err != nil {
		f.Fatal(err)
	}
	b, err := json.Marshal(ring)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		ring, err := parseKeys(b)
		if err != nil {
			return
		}
		for _, k := range ring.public(time.Now()).Keys {
			if !k.IsPublic() {
				t.Error("a private key is published")
			}
		}
	})
}
