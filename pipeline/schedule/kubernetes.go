package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/segmentio/encoding/json"
)

// kubernetesObstacle: Kubernetes' library, robfig/cron v3, counts in whole hours. To find a day it goes from
// midnight to midnight, and gets days wrong that have none. Otherwise it does as TD does (tried with v3.0.1).
func kubernetesObstacle(s *times, zone *time.Location, now time.Time) string {
	anyDay := s.monthDay == fields[monthDay].all() && s.weekday == fields[weekday].all() && s.month == fields[month].all()
	midnight := &times{
		minute: 1, hour: 1,
		monthDay: fields[monthDay].all(), month: fields[month].all(), weekday: fields[weekday].all(),
	}
	for c := range ahead(zone, now) {
		if c.after.Sub(c.before)%time.Hour != 0 {
			return c.before.Format("it counts in whole hours, and the clocks change by minutes on 2006-01-02")
		}
		if at, ok := within(midnight, c.before, c.after); ok && !anyDay {
			return at.Format("it gets 2006-01-02 wrong, which has no midnight")
		}
	}
	return ""
}

// kubernetesDeadline is how many seconds late a CronJob may start a run. Without a deadline Kubernetes makes up for
// the last run that it missed, however long ago that was. It looks every 10 seconds, so a shorter deadline misses runs.
const kubernetesDeadline = 60

// kubernetes writes a CronJob, in which an image has to be filled in. Each time starts the command once: without the
// limits on restarts Kubernetes would start a failed command six more times.
func kubernetes(e *export) (string, error) {
	var words []string
	for _, word := range e.command {
		if !utf8.ValidString(word) {
			return "", errors.New("kubernetes: expected a command in UTF-8, got other bytes")
		}
		words = append(words, strings.ReplaceAll(word, "$", "$$"))
	}
	command, err := json.Append(nil, words, 0)
	if err != nil {
		return "", err
	}
	name := unitName(e.command[0])
	return fmt.Sprintf(`%[1]s# A run that cannot start within %[6]d seconds of its time is skipped,
# also because another run is still going.
# A failed run is not repeated.
apiVersion: batch/v1
kind: CronJob
metadata:
  name: %[2]s
spec:
  schedule: "%[3]s"
  timeZone: "%[4]v"
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: %[6]d
  jobTemplate:
    spec:
      backoffLimit: 0
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: %[2]s
              image: IMAGE # fill in an image that has the command
              command: %[5]s
`, e.note, name, cronFields(e.spec), e.zone, command, kubernetesDeadline), nil
}
