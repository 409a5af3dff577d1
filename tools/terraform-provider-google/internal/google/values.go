package google

import (
	"math/big"
	"reflect"
	"slices"
	"sort"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Values of resources are kept as JSON has them: nil, string, bool, float64, []any, object; or unknown.
type object = map[string]any

type unknownValue struct{}

var unknown = unknownValue{}

func fromTerraform(v tftypes.Value) any {
	if !v.IsKnown() {
		return unknown
	}
	if v.IsNull() {
		return nil
	}
	switch t := v.Type(); {
	case t.Is(tftypes.String):
		return taken[string](v)
	case t.Is(tftypes.Bool):
		return taken[bool](v)
	case t.Is(tftypes.Number):
		number, _ := taken[*big.Float](v).Float64()
		return number
	case t.Is(tftypes.Object{}), t.Is(tftypes.Map{}):
		result := object{}
		for name, item := range taken[map[string]tftypes.Value](v) {
			result[name] = fromTerraform(item)
		}
		return result
	default:
		result := []any{}
		for _, item := range taken[[]tftypes.Value](v) {
			result = append(result, fromTerraform(item))
		}
		return result
	}
}

// The type was looked at before, so a failure is a mistake in this file.
func taken[T any](v tftypes.Value) T {
	var result T
	if err := v.As(&result); err != nil {
		panic(err)
	}
	return result
}

func toTerraform(v any, t tftypes.Type) tftypes.Value {
	switch typed := v.(type) {
	case nil:
		return tftypes.NewValue(t, nil)
	case unknownValue:
		return tftypes.NewValue(t, tftypes.UnknownValue)
	case float64:
		return tftypes.NewValue(t, big.NewFloat(typed))
	case object:
		return tftypes.NewValue(t, membersToTerraform(typed, t))
	case []any:
		items := []tftypes.Value{}
		for _, item := range typed {
			items = append(items, toTerraform(item, elementType(t)))
		}
		return tftypes.NewValue(t, items)
	default:
		return tftypes.NewValue(t, typed)
	}
}

func membersToTerraform(v object, t tftypes.Type) map[string]tftypes.Value {
	result := map[string]tftypes.Value{}
	if whole, ok := t.(tftypes.Object); ok {
		for name, memberType := range whole.AttributeTypes {
			result[name] = toTerraform(v[name], memberType)
		}
		return result
	}
	for name, item := range v {
		result[name] = toTerraform(item, elementType(t))
	}
	return result
}

func elementType(t tftypes.Type) tftypes.Type {
	switch typed := t.(type) {
	case tftypes.List:
		return typed.ElementType
	case tftypes.Set:
		return typed.ElementType
	case tftypes.Map:
		return typed.ElementType
	default:
		panic("no elements in " + t.String())
	}
}

// Repeated blocks are never null in Terraform, only empty.
func (b *block) normalized(v object) object {
	for name, nested := range b.Blocks {
		items, known := v[name].([]any)
		if v[name] == nil && nested.Mode != "single" {
			v[name] = []any{}
		}
		for _, item := range items {
			if member, ok := item.(object); known && ok {
				nested.Block.normalized(member)
			}
		}
	}
	return v
}

func (b *block) encode(v object) (*tfprotov5.DynamicValue, error) {
	t := b.proto().ValueType()
	if v == nil {
		encoded, err := tfprotov5.NewDynamicValue(t, tftypes.NewValue(t, nil))
		return &encoded, err
	}
	encoded, err := tfprotov5.NewDynamicValue(t, toTerraform(b.normalized(v), t))
	return &encoded, err
}

func (b *block) decode(v *tfprotov5.DynamicValue) (object, error) {
	if v == nil {
		return nil, nil
	}
	value, err := v.Unmarshal(b.proto().ValueType())
	if err != nil {
		return nil, err
	}
	result, _ := fromTerraform(value).(object)
	return result, nil
}

// Empty is what the API leaves out of its answers and the real provider out of its requests.
func empty(v any) bool {
	switch typed := v.(type) {
	case nil:
		return true
	case unknownValue:
		return false
	case []any:
		return len(typed) == 0
	case object:
		return len(typed) == 0
	default:
		return reflect.ValueOf(v).IsZero()
	}
}

func equal(a, b any) bool { return reflect.DeepEqual(a, b) || empty(a) && empty(b) }

// Sets are compared by their canonical order.
func ordered(items []any) []any {
	result := slices.Clone(items)
	sort.Slice(result, func(i, j int) bool { return canonical(result[i]) < canonical(result[j]) })
	return result
}

func cloned(v any) any {
	switch typed := v.(type) {
	case object:
		result := object{}
		for name, item := range typed {
			result[name] = cloned(item)
		}
		return result
	case []any:
		result := make([]any, 0, len(typed))
		for _, item := range typed {
			result = append(result, cloned(item))
		}
		return result
	case unknownValue:
		return nil
	default:
		return v
	}
}

func text(v any) string {
	result, _ := v.(string)
	return result
}

func truth(v any) bool {
	result, _ := v.(bool)
	return result
}

// first is the only block of a list of at most one, or nil.
func first(v any) object {
	items, _ := v.([]any)
	if len(items) == 0 {
		return nil
	}
	result, _ := items[0].(object)
	if result == nil {
		return object{}
	}
	return result
}
