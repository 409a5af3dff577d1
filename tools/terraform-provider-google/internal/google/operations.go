package google

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Operations mark a resource whose changes take a while; their metadata names the object when nobody waits for them.
type operations struct{ metadata string }

const soonest = 200 * time.Millisecond

// wait polls until the operation is done, and returns what it made.
func (c *call) wait(operation object, verb string) (object, error) {
	name := text(operation["name"])
	for interval := soonest; !truth(operation["done"]); interval = min(2*interval, c.pollInterval) {
		if err := pause(c, interval); err != nil {
			return nil, fmt.Errorf("Error waiting for %s %s: %w", verb, c.r.label, c.unfinished(err))
		}
		polled, err := c.poll(name)
		if err != nil {
			return nil, fmt.Errorf("Error waiting for %s %s: error while retrieving operation: %w", verb, c.r.label, err)
		}
		operation = polled
	}
	if failed, ok := operation["error"].(object); ok && len(failed) > 0 {
		return nil, fmt.Errorf("Error waiting for %s %s: Error code %v, message: %s", verb, c.r.label, failed["code"], text(failed["message"]))
	}
	made, _ := operation["response"].(object)
	return made, nil
}

func (c *call) unfinished(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("timeout while waiting for state to become 'done: true' (last state: 'done: false', timeout: %s)", c.timeout)
	}
	return err
}

// An operation lives at its API's version, whatever stands between that and the resources.
func (c *call) poll(name string) (object, error) {
	base, err := c.endpoint(c.r.api)
	if err != nil {
		return nil, err
	}
	return c.send(c, "GET", base+name, nil, nil)
}

// made is the object that a create call's answer speaks of.
func (c *call) made(answer object) (object, error) {
	if c.r.operations == nil {
		return answer, nil
	}
	if truth(c.planned["skip_wait"]) {
		metadata, _ := answer["metadata"].(object)
		if name := text(metadata[c.r.operations.metadata]); name != "" {
			return object{"name": name}, nil
		}
	}
	return c.wait(answer, "Creating")
}
