package verify

import (
	"errors"
	"fmt"
	"testing"
)

func TestEachAtOnceNamesTheFirstError(t *testing.T) {
	for range 50 {
		i, err := eachAtOnce(40, func(i int) error {
			if i%7 == 6 {
				return fmt.Errorf("at %d", i)
			}
			return nil
		})
		if i != 6 || err == nil || err.Error() != "at 6" {
			t.Fatalf("got %d, %v", i, err)
		}
	}
	if _, err := eachAtOnce(0, func(int) error { return errors.New("called") }); err != nil {
		t.Error(err)
	}
}
