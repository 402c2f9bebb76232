package assayv1

import _ "embed"

// OpenAPI is the REST interface as an OpenAPI 2.0 document in JSON.
//
//go:embed openapi.swagger.json
var OpenAPI []byte
