package ocpp

import (
	"cmp"
	"slices"
	"time"
)

// Order sorts messages that came in any order, as they do after a station was offline: by the time of the transaction that they belong to,
// then by seqNo. Values outside a transaction are sorted by their own time.
func Order(messages []*Message) {
	begins := map[string]time.Time{}
	for _, m := range messages {
		if e := m.Transaction; e != nil {
			if t, known := begins[e.Info.ID]; !known || e.Timestamp.Before(t) {
				begins[e.Info.ID] = e.Timestamp
			}
		}
	}
	slices.SortStableFunc(messages, func(a, b *Message) int {
		return cmp.Or(a.place(begins).Compare(b.place(begins)), cmp.Compare(a.transactionID(), b.transactionID()), cmp.Compare(a.seqNo(), b.seqNo()))
	})
}

func (m *Message) place(begins map[string]time.Time) time.Time {
	if m.Transaction != nil {
		return begins[m.Transaction.Info.ID]
	}
	return m.Meter.Values[0].Timestamp
}

func (m *Message) transactionID() string {
	if m.Transaction != nil {
		return m.Transaction.Info.ID
	}
	return ""
}

func (m *Message) seqNo() int64 {
	if m.Transaction != nil {
		return m.Transaction.SeqNo
	}
	return 0
}
