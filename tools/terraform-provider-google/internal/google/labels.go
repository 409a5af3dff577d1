package google

import "maps"

const attribution = "goog-terraform-provisioned"

// Labels as the real provider plans them: `labels` is what the configuration says, `terraform_labels` adds the
// provider's own, `effective_labels` keeps what others have put there too.
func (c *call) planLabels(result object) {
	if _, ok := c.schema.Attributes["effective_labels"]; ok {
		c.planMap(result, "labels", "terraform_labels", "effective_labels", c.commonLabels())
	}
	if _, ok := c.schema.Attributes["effective_annotations"]; ok {
		c.planMap(result, "annotations", "", "effective_annotations", object{})
	}
}

func (c *call) commonLabels() object {
	result := maps.Clone(c.defaultLabels)
	if result == nil {
		result = object{}
	}
	if c.attribute && c.prior == nil || c.prior != nil && has(c.prior["terraform_labels"], attribution) {
		result[attribution] = "true"
	}
	return result
}

func has(labels any, key string) bool {
	typed, _ := labels.(object)
	_, ok := typed[key]
	return ok
}

func (c *call) planMap(result object, own, managed, effective string, common object) {
	if !wholly(result[own]) {
		result[effective] = unknown
		if managed != "" {
			result[managed] = unknown
		}
		return
	}
	declared := maps.Clone(common)
	configured, _ := result[own].(object)
	maps.Copy(declared, configured)
	before, _ := c.prior[orElse(managed, own)].(object)
	all := object{}
	kept, _ := c.prior[effective].(object)
	maps.Copy(all, kept)
	for name := range before {
		delete(all, name)
	}
	maps.Copy(all, declared)
	result[effective] = all
	if managed != "" {
		result[managed] = declared
	}
}

// wholly tells whether nothing in it is unknown.
func wholly(v any) bool {
	if v == unknown {
		return false
	}
	labels, _ := v.(object)
	for _, value := range labels {
		if value == unknown {
			return false
		}
	}
	return true
}

// settleMap gives the answer's labels to the three attributes; `own` shows only what the configuration has named.
func settleMap(state, shape object, own, managed, effective string, answered any) {
	all, _ := answered.(object)
	if all == nil {
		all = object{}
	}
	state[effective] = cloned(all)
	state[own] = chosen(shape[own], all)
	if managed != "" {
		state[managed] = orEmpty(chosen(shape[managed], all))
	}
}

func orEmpty(v any) any {
	if v == nil {
		return object{}
	}
	return v
}

func chosen(shape any, all object) any {
	declared, ok := shape.(object)
	if !ok {
		return nil
	}
	result := object{}
	for name := range declared {
		if value, ok := all[name]; ok {
			result[name] = value
		}
	}
	return result
}
