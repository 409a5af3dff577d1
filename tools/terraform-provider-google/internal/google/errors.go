package google

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
)

// An apiError reads as googleapi.Error does, because people and scripts look for its words.
type apiError struct {
	code    int
	message string
	details string
	reason  string
}

func (e *apiError) Error() string {
	result := fmt.Sprintf("googleapi: Error %d: %s", e.code, e.message)
	if e.details != "" {
		result += "\nDetails:\n" + e.details
	}
	if e.reason != "" {
		result += ", " + e.reason
	}
	return strings.TrimSpace(result)
}

func refused(code int, content []byte) error {
	var answer struct {
		Error struct {
			Message string                    `json:"message"`
			Details []any                     `json:"details"`
			Errors  []struct{ Reason string } `json:"errors"`
		} `json:"error"`
	}
	if json.Unmarshal(content, &answer) != nil || answer.Error.Message == "" {
		return &apiError{code: code, message: fmt.Sprintf("got HTTP response code %d with body: %s", code, content)}
	}
	result := &apiError{code: code, message: answer.Error.Message}
	if len(answer.Error.Details) > 0 {
		if details, err := json.MarshalIndent(answer.Error.Details, "", "  "); err == nil {
			result.details = string(details)
		}
	}
	if len(answer.Error.Errors) == 1 {
		result.reason = answer.Error.Errors[0].Reason
	}
	return result
}

func hasCode(err error, codes ...int) bool {
	var answered *apiError
	return errors.As(err, &answered) && slices.Contains(codes, answered.code)
}

// What the real provider tries again: overload and outages, and conflicts that pass by themselves; never 504.
func retryable(err error) bool {
	var network net.Error
	if errors.As(err, &network) && network.Timeout() || errors.Is(err, net.ErrClosed) || isReset(err) {
		return true
	}
	if hasCode(err, http.StatusConflict) {
		return slices.ContainsFunc(passingConflicts, func(words string) bool { return strings.Contains(err.Error(), words) })
	}
	return hasCode(err, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable)
}

var passingConflicts = []string{
	"operationInProgress",
	"Please retry, underlying data changed",
	"Aborted due to cross-transaction contention",
}

func isReset(err error) bool {
	var answered *apiError
	if errors.As(err, &answered) {
		return false
	}
	return strings.Contains(err.Error(), "connection reset") || strings.HasSuffix(err.Error(), "EOF")
}
