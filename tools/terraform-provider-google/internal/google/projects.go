package google

import (
	"fmt"
	"slices"
	"strings"
)

var projectResources = map[string]*resource{
	"google_project": {
		label: "project", api: "projects", deletion: "PREVENT",
		self: "projects/{project_id}", id: "projects/{project_id}",
		imports:   []string{"projects/{project_id}", "{project_id}"},
		updatable: []string{"name", "org_id", "folder_id", "billing_account", "labels"},
		client:    []string{"auto_create_network", "tags", "labels", "terraform_labels", "effective_labels"},
		fields: map[string]field{
			"auto_create_network": {standard: true},
			"number":              {api: "projectNumber"},
			"org_id":              {skip: true},
			"folder_id":           {skip: true},
			"billing_account":     {skip: true},
		},
		create: createProject, read: readProject, update: updateProject,
	},
}

func (c *call) at(api, path string) (string, error) {
	base, err := c.endpoint(api)
	return base + path, err
}

func (c *call) sendTo(api, method, path string, query map[string]string, body any) (object, error) {
	address, err := c.at(api, path)
	if err != nil {
		return nil, err
	}
	return c.send(c, method, address, query, body)
}

func parent(state object) object {
	if org := text(state["org_id"]); org != "" {
		return object{"type": "organization", "id": org}
	}
	if folder := text(state["folder_id"]); folder != "" {
		return object{"type": "folder", "id": strings.TrimPrefix(folder, "folders/")}
	}
	return nil
}

func projectBody(state object) object {
	result := object{"projectId": state["project_id"], "name": state["name"]}
	if above := parent(state); above != nil {
		result["parent"] = above
	}
	if !empty(state["effective_labels"]) {
		result["labels"] = state["effective_labels"]
	}
	return result
}

func createProject(c *call, state object) (object, error) {
	id := text(state["project_id"])
	failed := func(err error) error {
		return fmt.Errorf("error creating project %s (%s): %w. If you received a 403 error, make sure you have the `roles/resourcemanager.projectCreator` permission", id, text(state["name"]), err)
	}
	if err := mayLink(c, text(state["billing_account"])); err != nil {
		return nil, failed(err)
	}
	answer, err := c.do("POST", "projects", nil, projectBody(state))
	if err == nil {
		_, err = c.wait(answer, "Creating")
	}
	if err != nil {
		return nil, failed(err)
	}
	state["id"] = "projects/" + id
	if err := linkBilling(c, state); err != nil {
		return state, err
	}
	return c.afterwards(state)
}

const linkPermission = "billing.resourceAssociations.create"

func mayLink(c *call, account string) error {
	if account == "" {
		return nil
	}
	answer, err := c.sendTo("billing", "POST", "billingAccounts/"+account+":testIamPermissions", nil, object{"permissions": []any{linkPermission}})
	if err != nil {
		return err
	}
	granted, _ := answer["permissions"].([]any)
	if !slices.Contains(granted, any(linkPermission)) {
		return fmt.Errorf("missing permission on %q: %s", "billingAccounts/"+account, linkPermission)
	}
	return nil
}

func linkBilling(c *call, state object) error {
	account := text(state["billing_account"])
	name := ""
	if account != "" {
		name = "billingAccounts/" + account
	} else if c.prior == nil {
		return nil
	}
	_, err := c.sendTo("billing", "PUT", "projects/"+text(state["project_id"])+"/billingInfo", nil, object{"billingAccountName": name})
	if err != nil {
		return fmt.Errorf("Error setting billing account %q for project %q: %w", account, text(state["id"]), err)
	}
	return nil
}

func readProject(c *call, state object) (object, error) {
	answer, err := c.do("GET", filled(c.r.self, state), nil, nil)
	if hasCode(err, 403, 404) || err == nil && answer["lifecycleState"] != "ACTIVE" {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("Error when reading or editing Project %q: %w", text(state["id"]), err)
	}
	result := c.state(answer, state)
	above, _ := answer["parent"].(object)
	result["org_id"], result["folder_id"] = orNil(above, "organization", state["org_id"]), orNil(above, "folder", state["folder_id"])
	if text(state["billing_account"]) == "" && c.prior != nil && c.planned != nil {
		return result, nil
	}
	billing, err := c.sendTo("billing", "GET", filled(c.r.self, state)+"/billingInfo", nil, nil)
	if err != nil {
		return nil, fmt.Errorf("Error when reading or editing Project %q: reading billing account: %w", text(state["id"]), err)
	}
	result["billing_account"] = nil
	if account := strings.TrimPrefix(text(billing["billingAccountName"]), "billingAccounts/"); account != "" {
		result["billing_account"] = account
	}
	return result, nil
}

func orNil(above object, kind string, before any) any {
	if above["type"] != kind {
		return nil
	}
	if strings.HasSuffix(text(before), text(above["id"])) {
		return before
	}
	return above["id"]
}

func updateProject(c *call, state object) (object, error) {
	if _, err := c.do("PUT", filled(c.r.self, state), nil, projectBody(state)); err != nil {
		return c.prior, fmt.Errorf("Error updating project %q: %w", text(state["id"]), err)
	}
	if !c.unchanged("billing_account", c.planned["billing_account"]) {
		if err := linkBilling(c, state); err != nil {
			return c.prior, err
		}
	}
	return c.afterwards(state)
}
