package score

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

const (
	// MaxModelFile is the largest model file in bytes.
	MaxModelFile = 16 << 10
	// ModelFormat is what a model file must have under "format".
	ModelFormat = "assay-score/1"
)

type modelFile struct {
	Format    *string       `json:"format"`
	Kind      *Kind         `json:"kind"`
	Intercept *float64      `json:"intercept"`
	Degree    *int          `json:"degree,omitempty"`
	Interval  *float64      `json:"interval,omitempty"`
	Spread    *bool         `json:"spread,omitempty"`
	Features  []featureFile `json:"features"`
}

type featureFile struct {
	Lane   *string  `json:"lane"`
	Low    *uint32  `json:"low"`
	High   *uint32  `json:"high"`
	Weight *float64 `json:"weight"`
}

var (
	modelKeys   = []string{"format", "kind", "intercept", "degree", "interval", "spread", "features"}
	featureKeys = []string{"lane", "low", "high", "weight"}
)

// ParseModel reads a model file. It is one JSON object in UTF-8; every name is in lower case, stands once, and no other is there:
//
//	format     "assay-score/1"
//	kind       "linear" or "logistic"
//	intercept  number
//	degree     3, 5 or 7; logistic only
//	interval   number from 1 to 64; logistic only: the polynomial is fitted for weighted sums in [-interval, interval]
//	spread     true to learn the score's standard deviation too (may be absent)
//	features   list of 1 to 16 objects with
//	  lane       name of the lane
//	  low, high  integers, stored units: the lane is clipped to [low, high]
//	  weight     number: weight per stored unit of the clipped lane
//
// The result has passed Check. Errors name fields and never repeat a coefficient.
func ParseModel(data []byte) (*Model, error) {
	if len(data) > MaxModelFile {
		return nil, fmt.Errorf("model file: %d bytes, at most %d", len(data), MaxModelFile)
	}
	if err := checkKeys(data); err != nil {
		return nil, fmt.Errorf("model file: %w", err)
	}
	var f modelFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("model file: %w", withoutValue(err))
	}
	m, err := f.model()
	if err == nil {
		err = m.Check()
	}
	if err != nil {
		return nil, fmt.Errorf("model file: %w", err)
	}
	return m, nil
}

// withoutValue keeps what a number was out of the message: it may be a coefficient.
func withoutValue(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("%s: not a value of its type, or too large", wrong.Field)
	}
	return errors.New("not JSON")
}

func (f *modelFile) model() (*Model, error) {
	switch {
	case f.Format == nil || *f.Format != ModelFormat:
		return nil, fmt.Errorf("format must be %q", ModelFormat)
	case f.Kind == nil:
		return nil, errors.New("kind is missing")
	case f.Intercept == nil:
		return nil, errors.New("intercept is missing")
	case *f.Kind == Logistic && (f.Degree == nil || f.Interval == nil):
		return nil, errors.New("a logistic model needs degree and interval")
	case *f.Kind == Linear && (f.Degree != nil || f.Interval != nil):
		return nil, errors.New("a linear model has no degree and no interval")
	case len(f.Features) > MaxFeatures:
		return nil, fmt.Errorf("features: %d, at most %d", len(f.Features), MaxFeatures)
	}
	m := &Model{Kind: *f.Kind, Intercept: *f.Intercept, Degree: 1}
	if f.Degree != nil && f.Interval != nil {
		m.Degree, m.Interval = *f.Degree, *f.Interval
	}
	if f.Spread != nil {
		m.Spread = *f.Spread
	}
	for i, g := range f.Features {
		if g.Lane == nil || g.Low == nil || g.High == nil || g.Weight == nil {
			return nil, fmt.Errorf("feature %d: lane, low, high and weight must all be there", i)
		}
		m.Features = append(m.Features, Weighted{Feature{Lane: *g.Lane, Low: *g.Low, High: *g.High}, *g.Weight})
	}
	return m, nil
}

// MarshalModel writes a model file that ParseModel reads back as the same model.
func MarshalModel(m *Model) ([]byte, error) {
	if err := m.Check(); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	format := ModelFormat
	f := modelFile{Format: &format, Kind: &m.Kind, Intercept: &m.Intercept}
	if m.Kind == Logistic {
		f.Degree, f.Interval = &m.Degree, &m.Interval
	}
	if m.Spread {
		f.Spread = &m.Spread
	}
	for _, g := range m.Features {
		f.Features = append(f.Features, featureFile{Lane: &g.Lane, Low: &g.Low, High: &g.High, Weight: &g.Weight})
	}
	return json.MarshalIndent(f, "", "  ")
}

// checkKeys accepts one JSON object whose keys, and those of the objects in its lists, are known, written exactly so and
// there once. encoding/json by itself ignores case and lets the last of two win.
func checkKeys(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("not a JSON object")
	}
	if err := walkObject(d, modelKeys); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the object")
	}
	return nil
}

func walkObject(d *json.Decoder, allowed []string) error {
	var seen []string
	for d.More() {
		t, err := d.Token()
		key, isText := t.(string)
		if err != nil || !isText {
			return errors.New("not JSON")
		}
		if !slices.Contains(allowed, key) {
			return fmt.Errorf("%.40q is not a field of the format", key)
		}
		if slices.Contains(seen, key) {
			return fmt.Errorf("%s is there twice", key)
		}
		seen = append(seen, key)
		if err := walkValue(d, key); err != nil {
			return err
		}
	}
	return closes(d)
}

// walkValue passes a scalar or the list of features. Null is refused: it would pass for an absent field.
func walkValue(d *json.Decoder, key string) error {
	t, err := d.Token()
	if err != nil {
		return errors.New("not JSON")
	}
	if t == nil {
		return fmt.Errorf("%s is null", key)
	}
	delim, isDelim := t.(json.Delim)
	if !isDelim {
		return nil
	}
	if delim != '[' || key != "features" {
		return fmt.Errorf("%s: not a value of its type", key)
	}
	for d.More() {
		if t, err := d.Token(); err != nil || t != json.Delim('{') {
			return errors.New("features: not a list of objects")
		}
		if err := walkObject(d, featureKeys); err != nil {
			return fmt.Errorf("features: %w", err)
		}
	}
	return closes(d)
}

func closes(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return errors.New("not JSON")
	}
	return nil
}
