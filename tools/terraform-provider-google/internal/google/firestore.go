package google

import (
	"fmt"
	"strings"
)

const defaultDatabase = "(default)"

var firestoreResources = map[string]*resource{
	"google_firestore_database": {
		label: "Database", api: "firestore",
		collection: "projects/{project}/databases", query: map[string]string{"databaseId": "{name}"},
		self: "projects/{project}/databases/{name}", id: "projects/{project}/databases/{name}",
		imports: []string{"projects/{project}/databases/{name}", "{project}/{name}", "{name}"},
		updatable: []string{
			"type", "concurrency_mode", "app_engine_integration_mode", "point_in_time_recovery_enablement",
			"delete_protection_state", "firestore_data_access_mode", "mongodb_compatible_data_access_mode", "realtime_updates_mode",
		},
		deletion: "ABANDON", operations: &operations{}, remove: deleteDatabase,
		fields: map[string]field{
			"name":                              {expand: databaseName, flatten: lastSegment},
			"type":                              {oneOf: []string{"FIRESTORE_NATIVE", "DATASTORE_MODE"}},
			"concurrency_mode":                  {oneOf: []string{"OPTIMISTIC", "PESSIMISTIC", "OPTIMISTIC_WITH_ENTITY_GROUPS"}},
			"app_engine_integration_mode":       {oneOf: []string{"ENABLED", "DISABLED"}},
			"database_edition":                  {oneOf: []string{"STANDARD", "ENTERPRISE"}},
			"delete_protection_state":           {oneOf: []string{"DELETE_PROTECTION_STATE_UNSPECIFIED", "DELETE_PROTECTION_ENABLED", "DELETE_PROTECTION_DISABLED"}},
			"point_in_time_recovery_enablement": {standard: "POINT_IN_TIME_RECOVERY_DISABLED", oneOf: []string{"POINT_IN_TIME_RECOVERY_ENABLED", "POINT_IN_TIME_RECOVERY_DISABLED"}},
		},
	},
	"google_firestore_index": {
		label: "Index", api: "firestore", answerNames: true,
		collection: "projects/{project}/databases/{database}/collectionGroups/{collection}/indexes",
		self:       "{name}", id: "{name}",
		imports:    []string{"projects/{project}/databases/{database}/collectionGroups/{collection}/indexes/{index}"},
		located:    []string{"database", "collection"},
		client:     []string{"skip_wait"},
		operations: &operations{metadata: "index"},
		fields: map[string]field{
			"database":            {standard: defaultDatabase},
			"skip_wait":           {standard: false},
			"query_scope":         {standard: "COLLECTION", oneOf: []string{"COLLECTION", "COLLECTION_GROUP", "COLLECTION_RECURSIVE"}},
			"api_scope":           {standard: "ANY_API", oneOf: []string{"ANY_API", "DATASTORE_MODE_API", "MONGODB_COMPATIBLE_API"}},
			"density":             {oneOf: []string{"SPARSE_ALL", "SPARSE_ANY", "DENSE"}},
			"fields":              {same: impliedName},
			"fields.order":        {oneOf: []string{"ASCENDING", "DESCENDING"}},
			"fields.array_config": {oneOf: []string{"CONTAINS"}},
		},
	},
	"google_firestore_field": {
		label: "Field", api: "firestore", createMethod: "PATCH", answerNames: true,
		collection: "projects/{project}/databases/{database}/collectionGroups/{collection}/fields/{field}",
		self:       "{name}", id: "{name}",
		imports:    []string{"projects/{project}/databases/{database}/collectionGroups/{collection}/fields/{field}"},
		located:    []string{"database", "collection", "field"},
		client:     []string{"skip_wait"},
		updatable:  []string{"index_config", "ttl_config"},
		operations: &operations{metadata: "field"},
		body:       wholeField, remove: inheritField,
		fields: map[string]field{
			"database":                          {standard: defaultDatabase},
			"skip_wait":                         {standard: false},
			"index_config":                      {expand: expandIndexConfig, flatten: flattenIndexConfig},
			"index_config.indexes.query_scope":  {standard: "COLLECTION", oneOf: []string{"COLLECTION", "COLLECTION_GROUP"}},
			"index_config.indexes.order":        {oneOf: []string{"ASCENDING", "DESCENDING"}},
			"index_config.indexes.array_config": {oneOf: []string{"CONTAINS"}},
		},
	},
	"google_firestore_backup_schedule": {
		label: "BackupSchedule", api: "firestore", answerNames: true,
		collection: "projects/{project}/databases/{database}/backupSchedules",
		self:       "projects/{project}/databases/{database}/backupSchedules/{name}",
		id:         "projects/{project}/databases/{database}/backupSchedules/{name}",
		imports:    []string{"projects/{project}/databases/{database}/backupSchedules/{name}", "{project}/{database}/{name}", "{database}/{name}"},
		located:    []string{"database"},
		updatable:  []string{"retention"},
		settle:     shortName,
		fields:     map[string]field{"database": {standard: defaultDatabase}, "name": {flatten: lastSegment}},
		check:      oneRecurrence,
	},
}

func databaseName(c *call, name any) any {
	return "projects/" + text(c.planned["project"]) + "/databases/" + text(name)
}

func lastSegment(_ *call, answered, _ any) any {
	name := text(answered)
	return name[strings.LastIndexByte(name, '/')+1:]
}

func shortName(_ *call, state object) { state["name"] = lastSegment(nil, state["name"], nil) }

func deleteDatabase(c *call) error {
	if c.prior["delete_protection_state"] == "DELETE_PROTECTION_ENABLED" {
		return fmt.Errorf("Cannot delete Firestore database %s: Delete Protection is enabled. Set delete_protection_state to DELETE_PROTECTION_DISABLED for this resource and run \"terraform apply\" before attempting to delete it", text(c.prior["id"]))
	}
	return c.deleteAt(filled(c.r.self, c.prior), nil)
}

// impliedName: the API appends `__name__` to an index that does not name it, and that is no difference.
func impliedName(prior, planned any) bool {
	before, _ := prior.([]any)
	wanted, _ := planned.([]any)
	if len(before) != len(wanted)+1 || first(before[len(before)-1:])["field_path"] != "__name__" {
		return false
	}
	for i, item := range wanted {
		if !sameMembers(before[i], item) {
			return false
		}
	}
	return true
}

func sameMembers(a, b any) bool {
	left, _ := a.(object)
	right, _ := b.(object)
	for name := range left {
		if !equal(left[name], right[name]) {
			return false
		}
	}
	return true
}

// wholeField: a create has no mask, so the half of a field that is not configured is reset.
func wholeField(c *call, body object) {
	for _, half := range []string{"indexConfig", "ttlConfig"} {
		if _, ok := body[half]; !ok && c.prior == nil {
			body[half] = nil
		}
	}
	if ttl, ok := body["ttlConfig"].(object); ok && ttl["expirationOffset"] != nil {
		body["ttlConfig"] = object{"expiration_offset": ttl["expirationOffset"]} // the real provider's spelling
	}
}

func inheritField(c *call) error {
	mask := "indexConfig,ttlConfig"
	if c.prior["field"] == "*" {
		mask = "indexConfig"
	}
	answer, err := c.do("PATCH", filled(c.r.self, c.prior), map[string]string{"updateMask": mask}, object{})
	if hasCode(err, 404) {
		return nil
	}
	if err == nil && !truth(c.prior["skip_wait"]) {
		_, err = c.wait(answer, "Deleting")
	}
	if err != nil {
		return fmt.Errorf("Error when reading or editing Field: %w", err)
	}
	return nil
}

func expandIndexConfig(c *call, planned any) any {
	config := first(planned)
	if config == nil {
		return nil
	}
	indexes := []any{}
	configured, _ := config["indexes"].([]any)
	for _, item := range configured {
		indexes = append(indexes, fieldIndex(c, item.(object)))
	}
	if len(indexes) == 0 {
		return object{}
	}
	return object{"indexes": indexes}
}

func fieldIndex(c *call, configured object) object {
	part := object{"fieldPath": c.planned["field"]}
	for attribute, name := range map[string]string{"order": "order", "array_config": "arrayConfig"} {
		if !empty(configured[attribute]) {
			part[name] = configured[attribute]
		}
	}
	return object{"queryScope": configured["query_scope"], "fields": []any{part}}
}

// flattenIndexConfig: what a field inherits is nobody's configuration.
func flattenIndexConfig(_ *call, answered, shape any) any {
	config, ok := answered.(object)
	if !ok || truth(config["usesAncestorConfig"]) {
		return []any{}
	}
	indexes := []any{}
	items, _ := config["indexes"].([]any)
	for _, item := range items {
		index, _ := item.(object)
		parts, _ := index["fields"].([]any)
		part := first(parts)
		indexes = append(indexes, object{"query_scope": index["queryScope"], "order": part["order"], "array_config": part["arrayConfig"]})
	}
	result := []any{object{"indexes": indexes}}
	if before := first(shape); before != nil && sameItems(before["indexes"], indexes) {
		return shape
	}
	return result
}

func oneRecurrence(config object) error {
	if daily, weekly := first(config["daily_recurrence"]), first(config["weekly_recurrence"]); daily != nil && weekly != nil {
		return fmt.Errorf(`"daily_recurrence": conflicts with weekly_recurrence`)
	}
	return nil
}
