package google

import (
	"slices"
	"strings"
)

// expand is the request body: what the plan says, under the API's names.
func (c *call) expand(planned object) object {
	result := c.expandBlock(c.schema, "", planned)
	if labels, ok := planned["effective_labels"]; ok && !empty(labels) {
		result["labels"] = labels
	}
	if annotations, ok := planned["effective_annotations"]; ok && !empty(annotations) {
		result["annotations"] = annotations
	}
	if c.r.body != nil {
		c.r.body(c, result)
	}
	return result
}

func (c *call) expandBlock(b *block, path string, planned object) object {
	result := object{}
	for name, attribute := range b.Attributes {
		if attribute.WriteOnly || attribute.Computed && !attribute.Optional && c.r.fields[path+name].expand == nil {
			continue
		}
		c.expandMember(result, path+name, name, planned[name], nil)
	}
	for name, nested := range b.Blocks {
		c.expandMember(result, path+name, name, planned[name], nested)
	}
	return result
}

func (c *call) expandMember(result object, path, name string, value any, n *nested) {
	f := c.r.fields[path]
	if f.skip || !strings.Contains(path, ".") && c.unsent(name) {
		return
	}
	if value == unknown {
		value = nil
	}
	if f.expand != nil {
		value = f.expand(c, value)
	} else if n != nil {
		value = c.expandBlocks(n, path, value)
	}
	present := n != nil && n.object() && value != nil
	if f.zero || present || !empty(value) {
		result[c.apiName(path, name)] = value
	}
}

func (c *call) unsent(name string) bool {
	return isClientOnly(name) || name == "project" || slices.Contains(c.r.client, name) || slices.Contains(c.r.located, name)
}

func (c *call) expandBlocks(n *nested, path string, value any) any {
	items, _ := value.([]any)
	expanded := []any{}
	for _, item := range items {
		member, _ := item.(object)
		expanded = append(expanded, c.expandBlock(n.Block, path+".", member))
	}
	if !n.object() {
		return expanded
	}
	if len(expanded) == 0 {
		return nil
	}
	return expanded[0]
}

func (c *call) apiName(path, name string) string { return orElse(c.r.fields[path].api, camel(name)) }

func camel(name string) string {
	parts := strings.Split(name, "_")
	for i, part := range parts[1:] {
		if part != "" {
			parts[i+1] = strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return strings.Join(parts, "")
}
