package google

import "maps"

// resources is what each type does; its calls, and what makes a new object, are the real provider's.
var resources = joined(firestoreResources, monitoringResources, accountResources, policyResources, secretResources, rulesResources, projectResources, serviceResources)

func joined(tables ...map[string]*resource) map[string]*resource {
	result := map[string]*resource{}
	for _, table := range tables {
		maps.Copy(result, table)
	}
	return result
}
