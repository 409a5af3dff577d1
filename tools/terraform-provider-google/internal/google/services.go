package google

import (
	"fmt"
	"slices"
)

var serviceResources = map[string]*resource{
	"google_project_service": {
		label: "service", api: "services",
		id:      "{project}/{service}",
		imports: []string{"{project}/{service}"},
		client:  []string{"disable_on_destroy", "disable_dependent_services"},
		fields:  map[string]field{"disable_on_destroy": {standard: false}},
		create:  enableService, read: readService, remove: disableService,
	},
}

func enabled(c *call, project string) ([]string, error) {
	query := map[string]string{"pageSize": "200", "filter": "state:ENABLED", "fields": "services/name,nextPageToken"}
	var result []string
	for {
		answer, err := c.sendTo("services", "GET", "projects/"+project+"/services", query, nil)
		if err != nil {
			return nil, err
		}
		services, _ := answer["services"].([]any)
		for _, item := range services {
			service, _ := item.(object)
			result = append(result, text(lastSegment(c, service["name"], nil)))
		}
		next := text(answer["nextPageToken"])
		if next == "" {
			return result, nil
		}
		query["pageToken"] = next
	}
}

func enableService(c *call, state object) (object, error) {
	project, service := text(state["project"]), text(state["service"])
	failed := func(err error) error {
		return fmt.Errorf("Error when reading or editing Project Service %s: Request `Enable Project Service %q for project %q` returned error: %w", service, service, project, err)
	}
	present, err := enabled(c, project)
	if err == nil && !slices.Contains(present, service) {
		var answer object
		if answer, err = c.do("POST", "projects/"+project+"/services/"+service+":enable", nil, object{}); err == nil {
			_, err = c.wait(answer, "Enabling")
		}
	}
	for wait := firstRetry; err == nil && !slices.Contains(present, service); wait = min(2*wait, longestWait) {
		if present, err = enabled(c, project); err == nil && !slices.Contains(present, service) {
			err = pause(c, wait)
		}
	}
	if err != nil {
		return nil, failed(err)
	}
	state["id"] = filled(c.r.id, state)
	return c.afterwards(state)
}

func readService(c *call, state object) (object, error) {
	project := text(state["project"])
	if _, err := c.sendTo("projects", "GET", "projects/"+project, nil, nil); hasCode(err, 403, 404) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("Error when reading or editing Project Service %s: %w", text(state["id"]), err)
	}
	present, err := enabled(c, project)
	if err != nil {
		return nil, fmt.Errorf("Error when reading or editing Project Service %s: %w", text(state["id"]), err)
	}
	if !slices.Contains(present, text(state["service"])) {
		return nil, nil
	}
	return c.state(object{"service": state["service"]}, state), nil
}

func disableService(c *call) error {
	if !truth(c.prior["disable_on_destroy"]) {
		return nil
	}
	body := object{"disableDependentServices": truth(c.prior["disable_dependent_services"])}
	answer, err := c.do("POST", "projects/"+text(c.prior["project"])+"/services/"+text(c.prior["service"])+":disable", nil, body)
	if err == nil {
		_, err = c.wait(answer, "Disabling")
	}
	if err != nil && !hasCode(err, 404) {
		return fmt.Errorf("Error disabling service %q: %w", text(c.prior["id"]), err)
	}
	return nil
}
