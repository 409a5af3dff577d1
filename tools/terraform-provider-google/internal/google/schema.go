package google

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

//go:embed schema.json
var schemaJSON []byte

// A block as `terraform providers schema -json` writes it.
type block struct {
	Attributes map[string]*attribute `json:"attributes"`
	Blocks     map[string]*nested    `json:"block_types"`
}

type attribute struct {
	Type      json.RawMessage `json:"type"`
	Required  bool            `json:"required"`
	Optional  bool            `json:"optional"`
	Computed  bool            `json:"computed"`
	Sensitive bool            `json:"sensitive"`
	WriteOnly bool            `json:"write_only"`
	parsed    tftypes.Type
}

type nested struct {
	Mode  string `json:"nesting_mode"`
	Min   int64  `json:"min_items"`
	Max   int64  `json:"max_items"`
	Block *block `json:"block"`
}

type resourceSchema struct {
	Version int64  `json:"version"`
	Block   *block `json:"block"`
}

var nestingModes = map[string]tfprotov5.SchemaNestedBlockNestingMode{
	"single": tfprotov5.SchemaNestedBlockNestingModeSingle,
	"list":   tfprotov5.SchemaNestedBlockNestingModeList,
	"set":    tfprotov5.SchemaNestedBlockNestingModeSet,
}

var schemas = func() map[string]*resourceSchema {
	var document struct {
		Resources map[string]*resourceSchema `json:"resource_schemas"`
	}
	if err := json.Unmarshal(schemaJSON, &document); err != nil {
		panic(fmt.Sprintf("schema.json does not parse: %v", err))
	}
	for _, schema := range document.Resources {
		schema.Block.parse()
	}
	return document.Resources
}()

func (b *block) parse() {
	for name, attribute := range b.Attributes {
		parsed, err := tftypes.ParseJSONType(attribute.Type) //nolint:staticcheck // the only parser of this notation
		if err != nil {
			panic(fmt.Sprintf("schema.json: the type of %s: %v", name, err))
		}
		attribute.parsed = parsed
	}
	for _, nested := range b.Blocks {
		nested.Block.parse()
	}
}

func (s *resourceSchema) proto() *tfprotov5.Schema {
	return &tfprotov5.Schema{Version: s.Version, Block: s.Block.proto()}
}

func (b *block) proto() *tfprotov5.SchemaBlock {
	result := &tfprotov5.SchemaBlock{}
	for _, name := range sortedKeys(b.Attributes) {
		a := b.Attributes[name]
		result.Attributes = append(result.Attributes, &tfprotov5.SchemaAttribute{
			Name: name, Type: a.parsed, Required: a.Required, Optional: a.Optional, Computed: a.Computed,
			Sensitive: a.Sensitive, WriteOnly: a.WriteOnly,
		})
	}
	for _, name := range sortedKeys(b.Blocks) {
		n := b.Blocks[name]
		result.BlockTypes = append(result.BlockTypes, &tfprotov5.SchemaNestedBlock{
			TypeName: name, Block: n.Block.proto(), Nesting: nestingModes[n.Mode], MinItems: n.Min, MaxItems: n.Max,
		})
	}
	return result
}

// An object is one block in the API, where Terraform has a list of at most one.
func (n *nested) object() bool { return n.Mode == "single" || n.Max == 1 }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
