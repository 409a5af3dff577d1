package google

import (
	"fmt"
	"regexp"
	"strings"
)

const policyVersion = 3 // the first with conditions

// A policy is read, changed and written as a whole; where, and by which verb it is read, depends on the API.
type policy struct {
	of      string // template of what it belongs to
	by      string // the attribute that names that
	getVerb string
}

var policyResources = map[string]*resource{
	"google_project_iam_member": member("projects", policy{
		of: "projects/{project}", getVerb: "POST", by: "project",
	}),
	"google_service_account_iam_member": member("iam", policy{
		of: "{service_account_id}", getVerb: "POST?", by: "service_account_id",
	}),
	"google_secret_manager_secret_iam_member": member("secrets", policy{
		of: "projects/{project}/secrets/{secret_id}", getVerb: "GET", by: "secret_id",
	}),
}

func member(api string, p policy) *resource {
	return &resource{
		label: "IAM member", api: api, id: "{id}",
		plan: p.plan, create: p.create, read: p.read, remove: p.remove, importer: p.imported,
	}
}

func (p policy) plan(_ *call, planned object) { p.place(planned) }

// place: a secret's full name has its project in it.
func (p policy) place(state object) {
	if secret := text(state["secret_id"]); strings.HasPrefix(secret, "projects/") {
		state["project"] = strings.Split(secret, "/")[1]
	}
}

func (p policy) name(state object) string {
	if secret := text(state["secret_id"]); strings.HasPrefix(secret, "projects/") {
		return secret
	}
	return filled(p.of, state)
}

func (p policy) fetch(c *call, state object) (object, error) {
	path := p.name(state) + ":getIamPolicy"
	switch p.getVerb {
	case "POST":
		return c.do("POST", path, nil, object{"options": object{"requestedPolicyVersion": policyVersion}})
	case "GET":
		return c.do("GET", path, map[string]string{"options.requestedPolicyVersion": fmt.Sprint(policyVersion)}, nil)
	default:
		return c.do("POST", path, map[string]string{"options.requestedPolicyVersion": fmt.Sprint(policyVersion)}, object{})
	}
}

// change repeats read, change and write while another writer comes in between.
func (p policy) change(c *call, state object, apply func(bindings []any) []any) (object, error) {
	defer c.lock(c.r.api + "/" + p.name(state))()
	for wait := firstRetry; ; wait = min(2*wait, longestWait) {
		current, err := p.fetch(c, state)
		if err != nil {
			return nil, fmt.Errorf("Error retrieving IAM policy for %s: %w", p.name(state), err)
		}
		bindings, _ := current["bindings"].([]any)
		current["bindings"], current["version"] = apply(bindings), policyVersion
		if empty(current["bindings"]) {
			delete(current, "bindings")
		}
		body := object{"policy": current}
		if c.r.api == "projects" {
			body["updateMask"] = "bindings,etag,auditConfigs"
		}
		written, err := c.do("POST", p.name(state)+":setIamPolicy", nil, body)
		if err == nil {
			return written, nil
		}
		if !hasCode(err, 409) || pause(c, wait) != nil {
			return nil, fmt.Errorf("Error applying IAM policy for %s: Error setting IAM policy for %s: %w", p.name(state), p.name(state), err)
		}
	}
}

func (p policy) create(c *call, state object) (object, error) {
	_, err := p.change(c, state, func(bindings []any) []any {
		bindings = without(bindings, state)
		for _, item := range bindings {
			if binding, _ := item.(object); matches(binding, state) {
				members, _ := binding["members"].([]any)
				binding["members"] = append(members, state["member"])
				return bindings
			}
		}
		return append(bindings, newBinding(state))
	})
	if err != nil {
		return nil, err
	}
	state["id"] = p.id(state)
	return c.afterwards(state)
}

func (p policy) id(state object) string {
	result := p.name(state) + "/" + text(state["role"]) + "/" + text(state["member"])
	if p.of == "projects/{project}" {
		result = strings.TrimPrefix(result, "projects/")
	}
	if condition := first(state["condition"]); condition != nil {
		result += "/" + text(condition["title"])
	}
	return result
}

func (p policy) read(c *call, state object) (object, error) {
	current, err := p.fetch(c, state)
	if hasCode(err, 404) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("Error when reading or editing Resource %q with IAM Member: Role %q Member %q: %w", p.name(state), text(state["role"]), text(state["member"]), err)
	}
	bindings, _ := current["bindings"].([]any)
	for _, item := range bindings {
		binding, _ := item.(object)
		members, _ := binding["members"].([]any)
		if matches(binding, state) && containsMember(members, text(state["member"])) {
			result := settled(state)
			result["condition"] = conditionOf(binding, state)
			result["etag"] = current["etag"]
			result["id"] = p.id(result)
			return result, nil
		}
	}
	return nil, nil
}

func (p policy) remove(c *call) error {
	_, err := p.change(c, c.prior, func(bindings []any) []any { return without(bindings, c.prior) })
	if hasCode(err, 404) {
		return nil
	}
	return err
}

func newBinding(state object) object {
	result := object{"role": state["role"], "members": []any{state["member"]}}
	if condition := first(state["condition"]); condition != nil {
		sent := object{}
		for name, value := range condition {
			if !empty(value) {
				sent[name] = value
			}
		}
		result["condition"] = sent
	}
	return result
}

// conditionOf completes the condition of an import, whose id has the title alone.
func conditionOf(binding, state object) any {
	wanted := first(state["condition"])
	if wanted == nil || wanted["expression"] != nil {
		return state["condition"]
	}
	return []any{binding["condition"]}
}

// matches tells whether the binding is of the same role under the same condition.
func matches(binding, state object) bool {
	if binding["role"] != state["role"] {
		return false
	}
	actual, _ := binding["condition"].(object)
	wanted := first(state["condition"])
	if wanted != nil && wanted["expression"] == nil {
		return actual["title"] == wanted["title"]
	}
	for _, name := range []string{"title", "expression", "description"} {
		if text(actual[name]) != text(wanted[name]) {
			return false
		}
	}
	return true
}

func without(bindings []any, state object) []any {
	result := []any{}
	for _, item := range bindings {
		binding, _ := item.(object)
		if matches(binding, state) {
			members, _ := binding["members"].([]any)
			binding["members"] = otherMembers(members, text(state["member"]))
			if empty(binding["members"]) {
				continue
			}
		}
		result = append(result, item)
	}
	return result
}

func otherMembers(members []any, member string) []any {
	result := []any{}
	for _, item := range members {
		if !strings.EqualFold(text(item), member) {
			result = append(result, item)
		}
	}
	return result
}

func containsMember(members []any, member string) bool {
	return len(otherMembers(members, member)) < len(members)
}

// The real provider's form has spaces; the id, with slashes, is taken as well.
var memberForms = []*regexp.Regexp{
	regexp.MustCompile(`^(?P<of>\S+) (?P<role>\S+) (?P<member>\S+)(?: (?P<title>.+))?$`),
	regexp.MustCompile(`^(?P<of>\S+?)/(?P<role>(?:(?:projects|organizations)/[^/ ]+/)?roles/[^/ ]+)/(?P<member>[a-zA-Z]+:[^/\[ ]+(?:\[[^\]]*\])?)(?:/(?P<title>.+))?$`),
}

func (p policy) imported(id string) (object, error) {
	for _, form := range memberForms {
		found := form.FindStringSubmatch(id)
		if found == nil {
			continue
		}
		of, role, member, title := found[1], found[2], found[3], found[4]
		state := object{"id": id, p.by: of, "role": role, "member": member}
		if p.by == "project" {
			state[p.by] = strings.TrimPrefix(of, "projects/")
		}
		if title != "" {
			state["condition"] = []any{object{"title": title}}
		}
		p.place(state)
		return state, nil
	}
	return nil, fmt.Errorf("Import id %q doesn't match any of the accepted formats: {{%s}} {{role}} {{member}} [{{condition_title}}]", id, p.by)
}
