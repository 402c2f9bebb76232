package store

import (
	"context"
	"fmt"
)

// PutDevices writes devices in one transaction, replacing what is known of them, all but Through and LastSeen, which follow what is
// committed. ErrConflict says that another device, not retired, has the seat of one of them.
func (s *Store) PutDevices(ctx context.Context, devices []Device) error {
	for i := range devices {
		d := &devices[i]
		if err := checkRow("device "+d.ID.String(), d.Fleet, d.From, d.Until, len(d.Certificate)+len(d.Possession)); err != nil {
			return err
		}
	}
	last := merge(devices, func(d *Device) any { return d.ID }, func(into, d *Device) { *into = *d })
	if len(last) == 0 {
		return nil
	}
	if err := s.driver.PutDevices(ctx, last); err != nil {
		return fmt.Errorf("writing %d devices: %w", len(last), err)
	}
	return nil
}

// Devices returns every device that the owner knows, by ID.
func (s *Store) Devices(ctx context.Context) ([]Device, error) {
	out, err := s.driver.Devices(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing devices: %w", err)
	}
	return out, nil
}
