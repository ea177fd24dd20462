module klaviyo-export

go 1.26.8

require (
	al.essio.dev/pkg/shellescape v1.6.1
	github.com/agnivade/levenshtein v1.2.2
	github.com/alecthomas/kong v1.17.0 // commands, flags, their checks and help, from struct tags
	github.com/cenkalti/backoff/v5 v5.0.3
	github.com/getkin/kin-openapi v0.153.0
	github.com/google/go-cmp v0.7.0
	github.com/hashicorp/golang-lru/v2 v2.0.7 // the window of duplicates: which people are forgotten first
	github.com/nyaruka/phonenumbers/v2 v2.0.4
	github.com/rogpeppe/go-internal v1.16.0
	github.com/segmentio/encoding v0.5.4 // JSON of rows, requests and results, with few allocations
	github.com/sourcegraph/conc v0.3.0 // the stages: work at once, results in order, panics carried to the caller
	go.etcd.io/bbolt v1.5.0 // the file of --state: one file, no modules of its own, read without copying
	go.uber.org/goleak v1.3.0
	go.yaml.in/yaml/v4 v4.0.0
	golang.org/x/sys v0.50.0
	golang.org/x/term v0.48.0
	golang.org/x/text v0.44.0
	pgregory.net/rapid v1.3.0
)

require (
	github.com/go-openapi/jsonpointer v0.22.5 // indirect
	github.com/go-openapi/swag/jsonname v0.25.5 // indirect
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3 // indirect
	github.com/segmentio/asm v1.2.1 // indirect
	go.uber.org/multierr v1.11.0 // indirect
	golang.org/x/tools v0.52.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)
