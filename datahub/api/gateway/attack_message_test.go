package gateway_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
)

// bytesCodec sends bytes as they are.
type bytesCodec struct{}

func (bytesCodec) Marshal(v any) ([]byte, error) { return v.([]byte), nil }
func (bytesCodec) Unmarshal([]byte, any) error   { return nil }
func (bytesCodec) Name() string                  { return "proto" }

// send sends bytes as a method's message.
func send(ctx context.Context, c *grpc.ClientConn, m protoreflect.MethodDescriptor, b []byte, o ...grpc.CallOption) error {
	o = append(o, grpc.ForceCodec(bytesCodec{}))
	if !m.IsStreamingServer() {
		return c.Invoke(ctx, fullName(m), b, &struct{}{}, o...)
	}
	stream, err := c.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, fullName(m), o...)
	if err != nil {
		return err
	}
	_ = stream.SendMsg(b) // the answer says why
	_ = stream.CloseSend()
	return stream.RecvMsg(&struct{}{})
}

// field is one of size bytes in all.
func field(number protowire.Number, size int) []byte {
	n := size - protowire.SizeTag(number)
	n -= protowire.SizeVarint(uint64(n))
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), make([]byte, n))
}

func TestAttackOversizeMessagesInEveryMethod(t *testing.T) {
	slow(t)
	w := newWorld(t, everything)
	token, callers := w.token(access.Administrator), w.callers()
	for _, m := range methods() {
		rule, _ := access.RuleOf(fullName(m))
		as, conn := callers.of(m)
		for _, size := range []int{rule.MaxRequest + 1, access.LargestRequest() + 1} {
			err := send(as, conn, m, field(19_999, size), grpc.MaxCallSendMsgSize(math.MaxInt32))
			wantCode(t, fmt.Sprintf("%s, %d bytes", fullName(m), size), err, codes.ResourceExhausted)
			err = send(as, conn, m, field(19_999, size), grpc.MaxCallSendMsgSize(math.MaxInt32), grpc.UseCompressor("gzip"))
			wantCode(t, fmt.Sprintf("%s, %d bytes compressed", fullName(m), size), err, codes.InvalidArgument)
		}
		for _, f := range forms(m) {
			w.oversizeByREST(t, f, token, rule.MaxRequest)
		}
	}
	wantNothingReached(t, w)
}

func (w *world) oversizeByREST(t *testing.T, f form, token string, most int) {
	t.Helper()
	body := `{"text":"` + strings.Repeat("a", 2*most+2<<10) + `"}`
	a := w.rest(f.verb, f.path, token, body)
	want := http.StatusRequestEntityTooLarge
	if f.verb == "GET" {
		want = http.StatusBadRequest // no body at all
	}
	// The server may close before all is sent; then there is no answer to read.
	if a.code != want && a.code != 0 {
		t.Errorf("%s %s: %d %.200s", f.verb, f.path, a.code, a.body)
	}
	// A body whose length is not told.
	a = w.rest(f.verb, f.path, token, "", func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), -1
		r.Header.Set("Content-Type", "application/json")
	})
	if a.code != want && a.code != 0 {
		t.Errorf("%s %s in chunks: %d %.200s", f.verb, f.path, a.code, a.body)
	}
}

// A message that is within the bound as JSON and beyond it as a message.
func TestAttackMessageThatGrows(t *testing.T) {
	w := newWorld(t, everything)
	a := w.rest("POST", "/v1/policies:check", w.token(access.Administrator), `{"text":"`+strings.Repeat("a", 80<<10)+`"}`)
	if a.code != http.StatusRequestEntityTooLarge || a.reason() != access.ReasonTooLarge {
		t.Errorf("%d %.200s", a.code, a.body)
	}
	wantNothingReached(t, w)
}

func TestAttackMalformedMessagesInEveryMethod(t *testing.T) {
	slow(t)
	w := newWorld(t, everything)
	token, callers := w.token(access.Administrator), w.callers()
	unknown := protowire.AppendVarint(protowire.AppendTag(nil, 15_000, protowire.VarintType), 1)
	for _, m := range methods() {
		name := fullName(m)
		as, conn := callers.of(m)
		for what, b := range map[string][]byte{
			"no message":         {0xff, 0xff, 0xff},
			"cut":                {0x0a, 0x05, 'a'},
			"length beyond":      protowire.AppendVarint([]byte{0x0a}, math.MaxInt64),
			"field zero":         {0x00, 0x01},
			"end of a group":     {0x0c},
			"text that is none":  {0x0a, 0x02, 0xff, 0xfe},
			"an unknown field":   append(must(proto.Marshal(valid(m))), unknown...),
			"a group in a group": []byte(strings.Repeat("\x0b", 20_000)),
		} {
			if what == "text that is none" && name == assayv1.ProofService_VerifyBundle_FullMethodName {
				continue // they are bytes there
			}
			err := send(as, conn, m, b)
			if got := status.Code(err); got != codes.InvalidArgument && got != codes.Internal && got != codes.ResourceExhausted {
				t.Errorf("%s: %s: %v", name, what, err)
			}
		}
		for _, f := range forms(m) {
			if f.body == "" {
				continue
			}
			w.malformedByREST(t, f, token)
		}
	}
	wantNothingReached(t, w)
}

func (w *world) malformedByREST(t *testing.T, f form, token string) {
	t.Helper()
	for what, body := range map[string]string{
		"no JSON": "{", "a list": "[]", "null": "null", "a number": "1", "behind it": f.body + `{"a":1}`, "an unknown field": strings.Replace(f.body, "{", `{"unknown":1,`, 1),
		"a field twice": strings.Replace(f.body, "{", `{"reason":"a","reason":"b","text":"a","text":"b","statement":"a","statement":"b","id":"a","id":"b","bundle":"","bundle":"","request":"","request":""`+comma(f.body), 1),
		"deep":          strings.Repeat(`{"terms":`, 20_000), "not UTF-8": "{\"text\":\"\xff\xfe\"}", "a type of another kind": `{"text":1,"statement":1,"bundle":1,"reasons":1,"request":1,"id":1,"reason":1}`,
	} {
		a := w.rest(f.verb, f.path, token, body)
		closed := a.code == 0 && len(body) > 100_000 // the server may close before all is sent; then there is no answer to read
		if a.code != http.StatusBadRequest && a.code != http.StatusRequestEntityTooLarge && !closed {
			t.Errorf("%s %s: %s: %d %.200s", f.verb, f.path, what, a.code, a.body)
		}
	}
	a := w.rest(f.verb, f.path, token, f.body, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") })
	if a.code != http.StatusBadRequest && f.body != "{}" {
		t.Errorf("%s %s: of another type: %d", f.verb, f.path, a.code)
	}
}

func comma(body string) string {
	if strings.HasPrefix(body, "{}") {
		return ""
	}
	return ","
}

// A message that is wrong names every field that is.
func TestViolationsNameTheFields(t *testing.T) {
	w := newWorld(t)
	_, err := assayv1.NewRequestServiceClient(w.dial(nil)).RefuseRequest(with(w.token(access.Operator)), &assayv1.RefuseRequestRequest{Request: "x", Reasons: []string{""}})
	wantCode(t, "refuse", err, codes.InvalidArgument)
	var fields []string
	for _, d := range status.Convert(err).Details() {
		if b, ok := d.(*errdetails.BadRequest); ok {
			for _, v := range b.GetFieldViolations() {
				fields = append(fields, v.GetField())
				if v.GetDescription() == "" {
					t.Errorf("%s: no description", v.GetField())
				}
			}
		}
	}
	if len(fields) != 2 || fields[0] != "request" || fields[1] != "reasons[0]" {
		t.Errorf("fields %v", fields)
	}
	a := w.rest("POST", "/v1/requests/x:refuse", w.token(access.Operator), `{"reasons":[""]}`)
	if a.code != http.StatusBadRequest || !strings.Contains(a.body, "reasons[0]") || !strings.Contains(a.body, "BadRequest") {
		t.Errorf("by REST: %d %s", a.code, a.body)
	}
	wantNothingReached(t, w)
}

// The path says what a call is about; a body that says otherwise does not change it.
func TestPathWinsOverBody(t *testing.T) {
	w := newWorld(t)
	a := w.rest("POST", "/v1/requests/x:approve", w.token(access.Operator), `{"request":"`+digest+`"}`)
	if a.code != http.StatusBadRequest {
		t.Errorf("%d %s", a.code, a.body)
	}
	wantNothingReached(t, w)
}

// What stands in a body in the wrong form is not said again: it may be a model's weights.
func TestErrorsOfABodyQuoteNothing(t *testing.T) {
	w := newWorld(t, everything)
	token := w.token(access.Administrator)
	for _, body := range []string{
		`{"query":"{}","model":0.271828}`, `{"query":"{}","model":{"weight":0.271828}}`, `{"query":"{}","model":[0.271828]}`, `{"query":0.271828}`, `{"query":"{}","model":"0.271828" 1}`,
		`[0.271828]`, `0.271828`, `{"query":"{}","model":"{\"weight\":0.271828`, `{"query":"{}","model":null,"model":0.271828}`,
	} {
		a := w.rest("POST", "/v1/queries", token, body)
		if a.code != http.StatusBadRequest || strings.Contains(a.body, "271828") {
			t.Errorf("%s: %d %s", body, a.code, a.body)
		}
	}
	if a := w.rest("POST", "/v1/queries", token, `{"query":"{}","model":1}`); !strings.Contains(a.body, "field model") {
		t.Errorf("the field is not named: %s", a.body)
	}
	wantNothingReached(t, w)
	if text := w.logged(); strings.Contains(text, "271828") {
		t.Error("it is in the log")
	}
}
