package google

import (
	"encoding/json"
	"strconv"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// flatten is the state after an answer. The shape, which is the plan or the state before, says what Terraform alone
// knows, and where an empty value is null and where it is a zero.
func (c *call) flatten(answered, shape object) object {
	result := c.flattenBlock(c.schema, "", answered, shape)
	if _, ok := c.schema.Attributes["effective_labels"]; ok {
		settleMap(result, shape, "labels", "terraform_labels", "effective_labels", answered["labels"])
	}
	if _, ok := c.schema.Attributes["effective_annotations"]; ok {
		settleMap(result, shape, "annotations", "", "effective_annotations", answered["annotations"])
	}
	return result
}

func (c *call) flattenBlock(b *block, path string, answered, shape object) object {
	result := object{}
	for name, attribute := range b.Attributes {
		result[name] = c.flattenAttribute(attribute, path, name, answered, shape[name])
	}
	for name, nested := range b.Blocks {
		if nested.Mode == "single" {
			result[name] = shape[name]
			continue
		}
		result[name] = c.flattenBlocks(nested, path, name, answered, shape[name])
	}
	return result
}

func (c *call) flattenAttribute(a *attribute, path, name string, answered object, shape any) any {
	if shape == unknown {
		shape = nil
	}
	f := c.r.fields[path+name]
	switch {
	case a.WriteOnly:
		return nil
	case f.skip || path == "" && c.unsent(name):
		return shape
	}
	value := answered[c.apiName(path+name, name)]
	if f.flatten != nil {
		value = f.flatten(c, value, shape)
	} else {
		value = converted(value, a.parsed)
	}
	if standard, ok := f.standard.(string); ok && empty(value) {
		value = standard
	}
	switch {
	case empty(value) && empty(shape):
		return emptyLike(a, f, value, shape)
	case value == nil && a.Computed:
		return nil
	case value == nil:
		return zeroOf(a.parsed)
	case f.same != nil && f.same(shape, value):
		return shape
	case isSet(a) && sameItems(shape, value):
		return shape
	}
	return value
}

// What nobody has set is null, unless it has a default or the API itself says that it is false, zero or the empty text.
func emptyLike(a *attribute, f field, value, shape any) any {
	switch {
	case shape != nil:
		return shape
	case f.standard != nil:
		return zeroOf(a.parsed)
	case a.Computed:
		return value
	default:
		return nil
	}
}

func zeroOf(t tftypes.Type) any {
	switch {
	case t.Is(tftypes.String):
		return ""
	case t.Is(tftypes.Bool):
		return false
	case t.Is(tftypes.Number):
		return float64(0)
	default:
		return nil
	}
}

// converted takes the API's 64-bit integers, which are strings in JSON, and its snake-cased objects into account.
func converted(value any, t tftypes.Type) any {
	switch typed := value.(type) {
	case string:
		if number, err := strconv.ParseFloat(typed, 64); err == nil && t.Is(tftypes.Number) {
			return number
		}
	case []any:
		result := []any{}
		for _, item := range typed {
			result = append(result, converted(item, elementType(t)))
		}
		return result
	case object:
		return convertedMembers(typed, t)
	}
	if wanted := t.Is(tftypes.String); wanted && value != nil {
		if _, ok := value.(string); !ok {
			return canonical(value)
		}
	}
	return value
}

func convertedMembers(value object, t tftypes.Type) any {
	result := object{}
	switch typed := t.(type) {
	case tftypes.Object:
		for name, memberType := range typed.AttributeTypes {
			result[name] = converted(value[camel(name)], memberType)
		}
	case tftypes.Map:
		for name, item := range value {
			result[name] = converted(item, typed.ElementType)
		}
	case tftypes.List:
		return []any{convertedMembers(value, typed.ElementType)}
	}
	return result
}

func (c *call) flattenBlocks(n *nested, path, name string, answered object, shape any) any {
	f := c.r.fields[path+name]
	before, _ := shape.([]any)
	value := answered[c.apiName(path+name, name)]
	switch {
	case f.skip || path == "" && c.unsent(name):
		return before
	case f.flatten != nil:
		return f.flatten(c, value, shape)
	}
	items, _ := value.([]any)
	if member, ok := value.(object); ok && n.object() {
		items = []any{member}
	}
	result := []any{}
	for i, item := range items {
		member, _ := item.(object)
		result = append(result, c.flattenBlock(n.Block, path+name+".", member, earlier(n, before, i)))
	}
	if n.Mode == "set" && sameItems(before, result) {
		return before
	}
	return result
}

func earlier(n *nested, before []any, i int) object {
	if n.Mode == "set" || i >= len(before) {
		return nil
	}
	result, _ := before[i].(object)
	return result
}

// canonical is JSON with its keys in order.
func canonical(v any) string {
	encoded, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(encoded)
}
