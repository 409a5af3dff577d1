package google

import (
	"slices"
)

// planned follows the SDK that the real provider is written with: defaults, computed values kept from the state, and
// suppressed differences.
func (c *call) plan() (object, []string) {
	result := c.planBlock(c.schema, "", c.config, c.prior)
	c.planPolicy(result)
	if _, ok := c.schema.Attributes["project"]; ok && result["project"] == unknown && c.project != "" {
		result["project"] = c.project
	}
	c.planLabels(result)
	if c.r.plan != nil {
		c.r.plan(c, result)
	}
	return result, c.replaced(result)
}

func (c *call) planBlock(b *block, path string, config, prior object) object {
	result := object{}
	for name, attribute := range b.Attributes {
		result[name] = c.planAttribute(attribute, path+name, config[name], prior, prior[name])
	}
	for name, nested := range b.Blocks {
		if nested.Mode == "single" {
			result[name] = config[name]
			continue
		}
		result[name] = c.planBlocks(nested, path+name, config[name], prior[name])
	}
	return result
}

func (c *call) planAttribute(a *attribute, path string, config any, prior object, before any) any {
	if a.WriteOnly {
		return nil
	}
	f := c.r.fields[path]
	if config == nil && f.standard != nil {
		config = f.standard
	}
	switch {
	case config == nil && a.Computed && prior != nil:
		return before
	case config == nil && a.Computed:
		return unknown
	case prior != nil && f.same != nil && config != unknown && before != nil && f.same(before, config):
		return before
	case isSet(a) && sameItems(before, config):
		return before
	default:
		return config
	}
}

func isSet(a *attribute) bool { return len(a.Type) > 6 && string(a.Type[1:6]) == `"set"` }

func sameItems(before, config any) bool {
	a, known := before.([]any)
	b, alsoKnown := config.([]any)
	return known && alsoKnown && equal(ordered(a), ordered(b))
}

func (c *call) planBlocks(n *nested, path string, config, prior any) any {
	configured, ok := config.([]any)
	if !ok {
		return config
	}
	before, _ := prior.([]any)
	if len(configured) == 0 && c.r.fields[path].whole {
		return prior
	}
	result := []any{}
	for i, item := range configured {
		member, ok := item.(object)
		if !ok {
			result = append(result, item)
			continue
		}
		var earlier object
		if n.Mode == "list" && i < len(before) {
			earlier, _ = before[i].(object)
		}
		result = append(result, c.planBlock(n.Block, path+".", member, earlier))
	}
	if same := c.r.fields[path].same; same != nil && len(before) > 0 && same(prior, result) || n.Mode == "set" && sameItems(before, result) {
		return prior
	}
	return result
}

func (c *call) planPolicy(result object) {
	if _, ok := c.schema.Attributes["deletion_policy"]; !ok || c.config["deletion_policy"] != nil {
		return
	}
	result["deletion_policy"] = orElse(c.deletionPolicy, orElse(c.r.deletion, "DELETE"))
}

// replaced names the attributes whose change makes a new object: all but those the API can change and those that only
// Terraform knows.
func (c *call) replaced(planned object) []string {
	if c.prior == nil {
		return nil
	}
	var result []string
	for name := range c.schema.members() {
		kept := slices.Contains(c.r.updatable, name) || slices.Contains(c.r.client, name) || isClientOnly(name)
		if a := c.schema.Attributes[name]; a != nil && a.Computed && !a.Optional {
			kept = true
		}
		if !kept && !c.unchanged(name, planned[name]) {
			result = append(result, name)
		}
	}
	slices.Sort(result)
	return result
}

func (c *call) unchanged(name string, planned any) bool {
	if n := c.schema.Blocks[name]; n != nil && n.Mode == "set" {
		return sameItems(c.prior[name], planned)
	}
	return equal(c.prior[name], planned)
}

func isClientOnly(name string) bool {
	return slices.Contains([]string{"id", "deletion_policy", "timeouts"}, name)
}

func (b *block) members() map[string]bool {
	result := map[string]bool{}
	for name := range b.Attributes {
		result[name] = true
	}
	for name := range b.Blocks {
		result[name] = true
	}
	return result
}

func orElse(chosen, otherwise string) string {
	if chosen == "" {
		return otherwise
	}
	return chosen
}
