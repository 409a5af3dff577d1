package google

import (
	"fmt"
	"regexp"
	"strings"
)

var placeholder = regexp.MustCompile(`\\\{(%2B|%|\\\+)?([a-z_]*)\\\}`)

// imported is the state that an import starts from: what the id says, and the provider's project where it says none.
func (c *call) imported(id string) (object, error) {
	if c.r.importer != nil {
		return c.r.importer(id)
	}
	for _, form := range c.r.imports {
		pattern := placeholder.ReplaceAllStringFunc(regexp.QuoteMeta(form), func(found string) string {
			parts := placeholder.FindStringSubmatch(found)
			if parts[1] == "" {
				return fmt.Sprintf("(?P<%s>[^/ ]+)", parts[2])
			}
			return fmt.Sprintf("(?P<%s>.+)", parts[2])
		})
		compiled := regexp.MustCompile("^" + pattern + "$")
		found := compiled.FindStringSubmatch(id)
		if found == nil {
			continue
		}
		return c.importedParts(id, compiled.SubexpNames(), found), nil
	}
	return nil, fmt.Errorf("Import id %q doesn't match any of the accepted formats: %s", id, strings.Join(c.r.imports, ", "))
}

func (c *call) importedParts(id string, names, values []string) object {
	state := object{"id": id}
	for i, name := range names {
		if name != "" && c.schema.Attributes[name] != nil {
			state[name] = values[i]
		}
	}
	if a := c.schema.Attributes["project"]; a != nil && state["project"] == nil && c.project != "" {
		state["project"] = c.project
	}
	if name := c.r.nameAttribute(); c.r.self == "{"+name+"}" {
		state[name] = id
		if !strings.HasPrefix(id, "projects/") {
			state[name] = filled(c.r.imports[0], object{"project": state["project"], "email": id[strings.LastIndexByte(id, '/')+1:]})
		}
	}
	return state
}
