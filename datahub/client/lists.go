package client

import (
	"context"
	"iter"

	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/datahub/api/assayv1"
)

// pages goes through a list page by page.
func pages[T any](fetch func(token string) (page []T, next string, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for token := ""; ; {
			page, next, err := fetch(token)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, entry := range page {
				if !yield(entry, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			token = next
		}
	}
}

// AllFleets lists the fleets of an owner, or of all.
func (c *Client) AllFleets(ctx context.Context, owner string) iter.Seq2[*assayv1.Fleet, error] {
	return pages(func(token string) ([]*assayv1.Fleet, string, error) {
		page, err := c.Fleets.ListFleets(ctx, &assayv1.ListFleetsRequest{Owner: owner, PageToken: token, PageSize: maxPage})
		return page.GetFleets(), page.GetNextPageToken(), err
	})
}

// maxPage is the largest page that a node gives.
const maxPage = 500

// AllGrants lists the grants by an owner and for a grantee; empty is all.
func (c *Client) AllGrants(ctx context.Context, owner, grantee string) iter.Seq2[*assayv1.Grant, error] {
	return pages(func(token string) ([]*assayv1.Grant, string, error) {
		page, err := c.Grants.ListGrants(ctx, &assayv1.ListGrantsRequest{Owner: owner, Grantee: grantee, PageToken: token, PageSize: maxPage})
		return page.GetGrants(), page.GetNextPageToken(), err
	})
}

// AllRequests lists what a query asks for, from its page on.
func (c *Client) AllRequests(ctx context.Context, query *assayv1.ListRequestsRequest) iter.Seq2[*assayv1.Request, error] {
	q := proto.CloneOf(query)
	return pages(func(token string) ([]*assayv1.Request, string, error) {
		if token != "" {
			q.PageToken = token
		}
		page, err := c.Requests.ListRequests(ctx, q)
		return page.GetRequests(), page.GetNextPageToken(), err
	})
}

// AllEntries lists what a query of the audit asks for, from its page on.
func (c *Client) AllEntries(ctx context.Context, query *assayv1.ListEntriesRequest) iter.Seq2[*assayv1.AuditEntry, error] {
	q := proto.CloneOf(query)
	return pages(func(token string) ([]*assayv1.AuditEntry, string, error) {
		if token != "" {
			q.PageToken = token
		}
		page, err := c.Audit.ListEntries(ctx, q)
		return page.GetEntries(), page.GetNextPageToken(), err
	})
}

// AllAlerts lists the alerts.
func (c *Client) AllAlerts(ctx context.Context) iter.Seq2[*assayv1.Alert, error] {
	return pages(func(token string) ([]*assayv1.Alert, string, error) {
		page, err := c.Audit.ListAlerts(ctx, &assayv1.ListAlertsRequest{PageToken: token, PageSize: maxPage})
		return page.GetAlerts(), page.GetNextPageToken(), err
	})
}

// AllQueries lists what a query of the list asks for, from its page on.
func (c *Client) AllQueries(ctx context.Context, query *assayv1.ListQueriesRequest) iter.Seq2[*assayv1.Query, error] {
	q := proto.CloneOf(query)
	return pages(func(token string) ([]*assayv1.Query, string, error) {
		if token != "" {
			q.PageToken = token
		}
		page, err := c.Queries.ListQueries(ctx, q)
		return page.GetQueries(), page.GetNextPageToken(), err
	})
}

// AllSessions lists what a query of the list asks for, from its page on.
func (c *Client) AllSessions(ctx context.Context, query *assayv1.ListSessionsRequest) iter.Seq2[*assayv1.Session, error] {
	q := proto.CloneOf(query)
	return pages(func(token string) ([]*assayv1.Session, string, error) {
		if token != "" {
			q.PageToken = token
		}
		page, err := c.Sessions.ListSessions(ctx, q)
		return page.GetSessions(), page.GetNextPageToken(), err
	})
}
