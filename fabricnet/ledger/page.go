package ledger

import (
	"context"

	"github.com/assay-net/assay/zk/commit"
)

// Bounds of a page of a long list.
const (
	// DefaultPage is how many entries a page has when the query does not say.
	DefaultPage = 100
	// MaxPage is the most that a query may ask for.
	MaxPage = 500
)

// RequestsQuery asks for requests in the order of their ids. An empty filter takes all.
type RequestsQuery struct {
	// After is the Next of the page before, or empty.
	After string `json:"after"`
	// Limit is 0 for DefaultPage, and at most MaxPage.
	Limit     int    `json:"limit"`
	Owner     string `json:"owner"`
	Requester string `json:"requester"`
	Fleet     string `json:"fleet"`
	Status    Status `json:"status"`
}

// RequestsPage is a part of the requests. It may have fewer than were asked for, or none, and yet not be the last: only an empty Next says so.
type RequestsPage struct {
	Entries []RequestEntry `json:"entries"`
	Next    string         `json:"next"`
}

// GrantsQuery asks for grants in the order of owners and ids. An empty filter takes all.
type GrantsQuery struct {
	After   string `json:"after"`
	Limit   int    `json:"limit"`
	Owner   string `json:"owner"`
	Grantee string `json:"grantee"`
}

// GrantsPage is a part of the grants, as a RequestsPage is of requests.
type GrantsPage struct {
	Entries []GrantEntry `json:"entries"`
	Next    string       `json:"next"`
}

// AlertsQuery asks for alerts in the order of their times.
type AlertsQuery struct {
	After string `json:"after"`
	Limit int    `json:"limit"`
}

// AlertsPage is a part of the alerts.
type AlertsPage struct {
	Entries []AlertRecord `json:"entries"`
	// Next is empty on the last page. Cursor is behind the page's last entry even there, for those who come again for what is new.
	Next   string `json:"next"`
	Cursor string `json:"cursor"`
}

// RequestsPage gives some of the requests with what followed.
func (b Book) RequestsPage(ctx context.Context, q RequestsQuery) (RequestsPage, error) {
	return query[RequestsPage](ctx, b, QueryRequests, q)
}

// Requests lists all requests with what followed, page by page.
func (b Book) Requests(ctx context.Context) ([]RequestEntry, error) {
	return b.RequestsOf(ctx, RequestsQuery{Limit: MaxPage})
}

// RequestsOf lists all requests that a query asks for. They are of different moments if there are several pages.
func (b Book) RequestsOf(ctx context.Context, q RequestsQuery) ([]RequestEntry, error) {
	all := []RequestEntry{}
	for {
		page, err := b.RequestsPage(ctx, q)
		if err != nil {
			return nil, err
		}
		if all = append(all, page.Entries...); page.Next == "" {
			return all, nil
		}
		q.After = page.Next
	}
}

// GrantsPage gives some of the grants.
func (b Book) GrantsPage(ctx context.Context, q GrantsQuery) (GrantsPage, error) {
	return query[GrantsPage](ctx, b, QueryGrants, q)
}

// Grants lists all grants that a query asks for.
func (b Book) Grants(ctx context.Context, q GrantsQuery) ([]GrantEntry, error) {
	all := []GrantEntry{}
	for {
		page, err := b.GrantsPage(ctx, q)
		if err != nil {
			return nil, err
		}
		if all = append(all, page.Entries...); page.Next == "" {
			return all, nil
		}
		q.After = page.Next
	}
}

// GrantEntry finds a grant with what became of it.
func (b Book) GrantEntry(ctx context.Context, owner, id string) (GrantEntry, error) {
	return query[GrantEntry](ctx, b, QueryGrant, GrantRef{Owner: owner, Grant: id})
}

// Alerts gives some of the alerts.
func (b Book) Alerts(ctx context.Context, q AlertsQuery) (AlertsPage, error) {
	return query[AlertsPage](ctx, b, QueryAlerts, q)
}

// RequestEntry finds a request with what followed.
func (b Book) RequestEntry(ctx context.Context, request commit.Digest) (RequestEntry, error) {
	return query[RequestEntry](ctx, b, QueryRequest, RequestRef{Request: request})
}
