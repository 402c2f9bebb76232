package assayv1

import (
	"fmt"
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// changing is read from the descriptors, which are there once the package is initialised.
var changing = sync.OnceValue(func() map[string]bool {
	return changingOf(File_assay_v1_fleet_proto, File_assay_v1_policy_proto, File_assay_v1_grant_proto, File_assay_v1_request_proto,
		File_assay_v1_proof_proto, File_assay_v1_audit_proto, File_assay_v1_node_proto)
})

// Changes reports whether a method, by its full name, changes the ledger. Those methods take an idempotency key; the others only read.
func Changes(fullMethod string) bool { return changing()[fullMethod] }

func changingOf(files ...protoreflect.FileDescriptor) map[string]bool {
	out := map[string]bool{}
	for _, file := range files {
		for i := range file.Services().Len() {
			s := file.Services().Get(i)
			for j := range s.Methods().Len() {
				m := s.Methods().Get(j)
				o, ok := m.Options().(*descriptorpb.MethodOptions)
				out[fmt.Sprintf("/%s/%s", s.FullName(), m.Name())] = !ok || o.GetIdempotencyLevel() != descriptorpb.MethodOptions_NO_SIDE_EFFECTS
			}
		}
	}
	return out
}
