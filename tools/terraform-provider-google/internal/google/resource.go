package google

import (
	"context"
	"time"
)

// What a resource does beyond its schema. Everything that is not said here follows from the schema: an attribute's name
// in the API is its own in camel case, a list of at most one block is an object there, and what is empty is left out.
type resource struct {
	label string // in messages: "Error creating <label>: …"
	api   string // key of endpoints
	path  string // between the endpoint and a name: Monitoring's carries the version

	collection   string            // POSTed to
	createMethod string            // POST unless said otherwise
	query        map[string]string // of the create call
	self         string            // read, changed and deleted here
	id           string            // the attribute `id`
	imports      []string          // forms of the id that an import takes
	answerNames  bool              // the API chooses the name
	named        string            // attribute that holds the API's name; `name` unless said otherwise

	updateMethod string // PATCH unless said otherwise
	unmasked     bool   // an update sends the whole object, without updateMask
	updatable    []string
	client       []string // known to Terraform alone
	located      []string // part of the path, never of the body
	fields       map[string]field
	deletion     string // what deletion_policy is when nobody says; DELETE unless said otherwise
	operations   *operations

	// Where the table does not reach.
	create, read, update func(*call, object) (object, error)
	remove               func(*call) error
	importer             func(id string) (object, error)
	body                 func(*call, object) // before it is sent
	settle               func(*call, object) // computed attributes after the API's answer
	plan                 func(*call, object)
	check                func(config object) error
}

// A field is what the schema cannot say of an attribute; it is found by its dotted path.
type field struct {
	api      string
	standard any  // default
	zero     bool // sent even when empty
	skip     bool // neither sent nor read
	whole    bool // a block that the API fills in: what is there stays when none is configured
	oneOf    []string
	same     func(prior, planned any) bool
	expand   func(*call, any) any
	flatten  func(c *call, answered, shape any) any
}

// A call is one request of Terraform, on one object.
type call struct {
	context.Context
	*client
	name    string
	r       *resource
	schema  *block
	config  object
	prior   object
	planned object
	timeout time.Duration
}
