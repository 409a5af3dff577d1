package google

import (
	"fmt"
	"slices"
)

// validate checks what the schema cannot: allowed values, and that Terraform keeps write-only values to itself.
func (c *call) validate(writeOnlyAllowed bool) []error {
	errs := c.validateBlock(c.schema, "", "", c.config, writeOnlyAllowed)
	if c.r.check != nil {
		errs = append(errs, c.r.check(c.config))
	}
	return errs
}

// The path finds a field; the place says which of several blocks it is in.
func (c *call) validateBlock(b *block, path, place string, config object, writeOnlyAllowed bool) []error {
	var errs []error
	for name, attribute := range b.Attributes {
		value := config[name]
		if attribute.WriteOnly && value != nil && !writeOnlyAllowed {
			errs = append(errs, fmt.Errorf("Write-only Attribute Not Allowed: the resource contains a non-null value for write-only attribute %q. Write-only attributes are only supported in Terraform 1.11 and later", place+name))
		}
		allowed := c.r.fields[path+name].oneOf
		if chosen, ok := value.(string); ok && len(allowed) > 0 && !slices.Contains(allowed, chosen) {
			errs = append(errs, fmt.Errorf("expected %s to be one of %q, got %s", place+name, allowed, chosen))
		}
	}
	for name, nested := range b.Blocks {
		items, _ := config[name].([]any)
		for i, item := range items {
			if member, ok := item.(object); ok {
				at := fmt.Sprintf("%s%s.%d.", place, name, i)
				errs = append(errs, c.validateBlock(nested.Block, path+name+".", at, member, writeOnlyAllowed)...)
			}
		}
	}
	return errs
}
