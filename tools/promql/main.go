// Evaluates PromQL over recorded samples with Prometheus' own engine.
//
// Standard input is {"series": [{"labels": {…}, "points": [[ms, value], …]}], "queries": ["…"], "from": ms, "to": ms,
// "step": ms}, with null for the value where a series was not there any more; standard output is a list with the matrix
// of each query: [[{"labels": {…}, "points": [[ms, value], …]}]].
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/tsdb"
)

type series struct {
	Labels map[string]string `json:"labels"`
	Points [][2]*float64     `json:"points"`
}

type question struct {
	Series  []series `json:"series"`
	Queries []string `json:"queries"`
	From    int64    `json:"from"`
	To      int64    `json:"to"`
	Step    int64    `json:"step"`
}

func main() {
	if err := answer(); err != nil {
		fmt.Fprintln(os.Stderr, "promql:", err)
		os.Exit(1)
	}
}

func answer() error {
	var asked question
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return fmt.Errorf("standard input: %w", err)
	}
	directory, err := os.MkdirTemp("", "promql-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(directory)
	database, err := filled(directory, asked.Series)
	if err != nil {
		return err
	}
	defer database.Close()
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 10_000_000, Timeout: time.Minute})
	answers := make([][]series, 0, len(asked.Queries))
	for _, query := range asked.Queries {
		found, err := evaluated(engine, database, query, asked)
		if err != nil {
			return fmt.Errorf("%s: %w", query, err)
		}
		answers = append(answers, found)
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}

func filled(directory string, recorded []series) (*tsdb.DB, error) {
	database, err := tsdb.Open(directory, nil, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		return nil, err
	}
	appender := database.Appender(context.Background())
	for _, one := range recorded {
		named := labels.FromMap(one.Labels)
		for _, point := range one.Points {
			at, seen := int64(*point[0]), math.Float64frombits(value.StaleNaN)
			if point[1] != nil {
				seen = *point[1]
			}
			if _, err := appender.Append(0, named, at, seen); err != nil {
				return nil, fmt.Errorf("%s at %d: %w", named, at, err)
			}
		}
	}
	return database, appender.Commit()
}

func evaluated(engine *promql.Engine, database *tsdb.DB, query string, asked question) ([]series, error) {
	ctx := context.Background()
	step := time.Duration(asked.Step) * time.Millisecond
	made, err := engine.NewRangeQuery(ctx, database, nil, query, time.UnixMilli(asked.From), time.UnixMilli(asked.To), step)
	if err != nil {
		return nil, err
	}
	defer made.Close()
	matrix, err := made.Exec(ctx).Matrix()
	if err != nil {
		return nil, err
	}
	found := make([]series, 0, len(matrix))
	for _, line := range matrix {
		points := make([][2]*float64, 0, len(line.Floats))
		for _, point := range line.Floats {
			if !math.IsNaN(point.F) && !math.IsInf(point.F, 0) {
				at, seen := float64(point.T), point.F
				points = append(points, [2]*float64{&at, &seen})
			}
		}
		found = append(found, series{Labels: line.Metric.Map(), Points: points})
	}
	return found, nil
}
