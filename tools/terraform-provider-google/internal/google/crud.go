package google

import (
	"errors"
	"fmt"
	"log"
	"maps"
	"net/http"
	"slices"
	"strings"
)

func (c *call) createObject() (object, error) {
	state := settled(c.planned)
	if c.schema.Attributes["project"] != nil && text(state["project"]) == "" && c.r.importer == nil {
		project := projectOf(text(state["secret"]))
		if project == "" {
			return nil, errors.New("project: required field is not set")
		}
		state["project"] = project
	}
	if c.r.create != nil {
		return c.r.create(c, state)
	}
	body := c.expand(c.planned)
	query := map[string]string{}
	for name, template := range c.r.query {
		query[name] = filled(template, state)
	}
	answer, err := c.do(orElse(c.r.createMethod, "POST"), filled(c.r.collection, state), query, body)
	if err != nil {
		return nil, fmt.Errorf("Error creating %s: %w", c.r.label, err)
	}
	made, err := c.made(answer)
	if err != nil {
		return nil, fmt.Errorf("Error waiting to create %s: %w", c.r.label, err)
	}
	if c.r.answerNames {
		state[c.r.nameAttribute()] = made["name"]
	}
	if c.r.settle != nil {
		c.r.settle(c, state)
	}
	state["id"] = filled(c.r.id, state)
	return c.afterwards(state)
}

// kind is what the real provider calls a type in its messages: FirestoreIndex for google_firestore_index.
func (c *call) kind() string {
	name := camel(strings.TrimPrefix(c.name, "google_"))
	return strings.ToUpper(name[:1]) + name[1:]
}

func (r *resource) nameAttribute() string { return orElse(r.named, "name") }

// afterwards reads the object back; when that fails, what is known so far is kept, so that nothing made is forgotten.
func (c *call) afterwards(state object) (object, error) {
	result, err := c.readObject(state)
	if err != nil {
		return state, err
	}
	return result, nil
}

func (c *call) readObject(state object) (object, error) {
	if c.r.read != nil {
		return c.r.read(c, state)
	}
	answer, err := c.do("GET", filled(c.r.self, state), nil, nil)
	if hasCode(err, http.StatusNotFound) {
		log.Printf("[WARN] Removing %s %q because it's gone", c.kind(), text(state["id"]))
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("Error when reading or editing %s %q: %w", c.kind(), text(state["id"]), err)
	}
	return c.state(answer, state), nil
}

func (c *call) state(answer, shape object) object {
	result := c.flatten(answer, shape)
	for name, f := range c.r.fields {
		if result[name] == nil && f.standard != nil && c.onlyHere(name) {
			result[name] = f.standard
		}
	}
	if _, ok := result["deletion_policy"]; ok && result["deletion_policy"] == nil {
		result["deletion_policy"] = orElse(c.deletionPolicy, orElse(c.r.deletion, "DELETE"))
	}
	if c.r.settle != nil {
		c.r.settle(c, result)
	}
	result["id"] = filled(c.r.id, result)
	return result
}

func (c *call) onlyHere(name string) bool { return !strings.Contains(name, ".") && c.unsent(name) }

func (c *call) updateObject() (object, error) {
	state := settled(c.planned)
	for name, value := range c.prior {
		if state[name] == nil && c.schema.Attributes[name] != nil && !c.schema.Attributes[name].Optional {
			state[name] = value
		}
	}
	changed := c.changed()
	if len(changed) == 0 {
		return c.readObject(state)
	}
	if c.r.update != nil {
		return c.r.update(c, state)
	}
	query := map[string]string{}
	body := c.expand(c.planned)
	if !c.r.unmasked {
		query["updateMask"] = strings.Join(changed, ",")
		c.keepChangeable(body, changed)
	}
	answer, err := c.do(orElse(c.r.updateMethod, "PATCH"), filled(c.r.self, state), query, body)
	if err == nil && c.r.operations != nil && !truth(c.planned["skip_wait"]) {
		_, err = c.wait(answer, "Updating")
	}
	if err != nil {
		return c.prior, fmt.Errorf("Error updating %s %q: %w", c.r.label, text(state["id"]), err)
	}
	return c.afterwards(state)
}

// keepChangeable: the real provider sends all that could change, and says in the mask what does.
func (c *call) keepChangeable(body object, changed []string) {
	kept := slices.Clone(changed)
	for _, name := range c.r.updatable {
		kept = append(kept, c.apiName(name, name))
	}
	maps.DeleteFunc(body, func(name string, _ any) bool { return !slices.Contains(kept, name) })
}

// changed lists, under the API's names, what the update is about.
func (c *call) changed() []string {
	var result []string
	for _, name := range c.r.updatable {
		if !c.unchanged(name, c.planned[name]) {
			result = append(result, c.apiName(name, name))
		}
	}
	for all, name := range map[string]string{"effective_labels": "labels", "effective_annotations": "annotations"} {
		if c.schema.Attributes[all] != nil && !equal(c.prior[all], c.planned[all]) && !slices.Contains(result, name) {
			result = append(result, name)
		}
	}
	slices.Sort(result)
	return result
}

func (c *call) deleteObject() error {
	switch text(c.prior["deletion_policy"]) {
	case "ABANDON":
		log.Printf("[WARN] %s %q is abandoned, not deleted: its deletion_policy says so", c.name, text(c.prior["id"]))
		return nil
	case "PREVENT":
		return fmt.Errorf("Cannot destroy %s %q as its deletion_policy is set to PREVENT. Set it to DELETE or ABANDON and run \"terraform apply\" first", c.name, text(c.prior["id"]))
	}
	if c.r.remove != nil {
		return c.r.remove(c)
	}
	return c.deleteAt(filled(c.r.self, c.prior), nil)
}

func (c *call) deleteAt(path string, query map[string]string) error {
	_, err := c.do("DELETE", path, query, nil)
	if err != nil && !hasCode(err, http.StatusNotFound) {
		return fmt.Errorf("Error when reading or editing %s: %w", c.r.label, err)
	}
	return nil
}

// settled is the plan with nothing unknown left in it.
func settled(planned object) object {
	result, _ := cloned(planned).(object)
	return result
}

// projectOf is the project that the full name of a secret has in it.
func projectOf(secret string) string {
	parts := strings.Split(secret, "/")
	if len(parts) > 1 && parts[0] == "projects" {
		return parts[1]
	}
	return ""
}
