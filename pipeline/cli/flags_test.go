package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"klaviyo-export/sink/simulator"
)

// flagCase is what a flag changes. The flag is that of one command if its name is in front, else that of all commands
// that have no case of their own. The flags beside it are there before and after.
type flagCase struct{ flag, value, beside, want string }

// sets are the flags that set options of a run, a client or a server. They change these options and no others.
var sets = []flagCase{
	{"list-id", "Xyz123", "--list-id Abc123", "run.List.ID=Xyz123"},
	{"list-name", "Other", "", "run.List.Name=Other"},
	{"list-column", "other", "--list-column list", "run.Checker.fields.list= run.Checker.fields.other=set " +
		"run.Checker.listColumn=other"},
	{"lists-by", "id", "--list-column list", "run.Lists.ByID=true"},
	{"create-lists", "7", "--list-column list", "run.Lists.Create=7"},
	{"opt-in", "single", "", "run.List.OptIn=single_opt_in"},
	{"opt-in", "double", "", "run.List.OptIn=double_opt_in"},
	{"opt-in", "double", "--list-column list --create-lists 7", "run.List.OptIn=double_opt_in " +
		"run.Lists.OptIn=double_opt_in"},
	{"mirror opt-in", "double", "", "run.List.OptIn=double_opt_in"},
	{"run opt-in", "double", "", "run.List.OptIn=double_opt_in"},
	{"no-create", "", "", "run.List.Create= run.List.NoCreate=true"},

	{"by", "external_id", "", "run.Checker.required=external_id"},
	{"remove by", "external_id", "", "run.Checker.fields.external_id=set run.Checker.fields.profile_id= " +
		"run.Checker.required=external_id"},
	{"subscribe by", "external_id", "", byExternalID}, {"unsubscribe by", "external_id", "", byExternalID},
	{"map", "mail=email", "", `run.Checker.fields.mail=set run.Checker.fields.mail.label="email": ` +
		"run.Checker.fields.mail.mapped=true run.Checker.required=mail"},
	{"remove map", "id=profile_id", "", "run.Checker.fields.id=set run.Checker.fields.id.mapped=true " +
		"run.Checker.required=id"},
	{"drop", "note", "", "run.Checker.fields.note=set"},
	{"subscribe drop", "country", "--channel sms", `run.Checker.fields.country.label=`},
	{"unsubscribe drop", "country", "--channel sms", `run.Checker.fields.country.label=`},
	{"default-country", "de", "", "run.Checker.country=DE"},
	{"remove default-country", "de", "--by phone_number", "run.Checker.country=DE"},
	{"subscribe default-country", "de", "--channel sms", "run.Checker.country=DE"},
	{"unsubscribe default-country", "de", "--channel sms", "run.Checker.country=DE"},
	{"bad-phone", "drop", "", "run.Checker.dropPhones=true"},
	{"remove bad-phone", "drop", "", "refused: --bad-phone has no effect with remove: phone numbers are not read"},
	{"subscribe bad-phone", "drop", "--channel sms", "run.Checker.dropPhones=true"},
	{"unsubscribe bad-phone", "drop", "--channel sms", "run.Checker.dropPhones=true"},
	{"empty", "null", "", "run.Checker.emptyIsNull=true"},
	{"nulls", "clear", "", "run.Checker.clearNulls=true"},
	{"duplicates", "send", "", "run.Window="},
	{"duplicate-window", "7", "", "run.Window=7"},
	{"max-invalid", "7", "", "run.MaxInvalid.rows=7"},
	{"max-invalid", "0.5%", "", "run.MaxInvalid.isPercent=true run.MaxInvalid.share=500000"},
	{"stop-on-invalid", "", "", "run.StopOnInvalid=true"},
	{"expect-rows", "0", "", "run.ExpectRows=0"},
	{"min-rows", "7", "", "run.MinRows=7"},
	{"operation", "subscribe", "--operation unsubscribe --channel email",
		"run.Checker.operation=3 run.Operation=subscribe"},

	{"dry-run", "", "", "run.DryRun=true"},
	{"print-requests", "", "--dry-run", "run.Concurrency=1 run.Print=true"},
	{"mirror print-requests", "", "",
		"refused: --print-requests has no effect with mirror: --plan says what would change"},
	{"check-first", "", "", "run.CheckFirst=true"},
	{"concurrency", "7", "", "client.Concurrency=7 run.Concurrency=7"},
	{"batch-delay", "7s", "", "run.BatchDelay=7s"},
	{"rate-share", "70", "", "client.RateShare=70"},
	{"no-rate-limit", "", "--simulate", "client.RateShare="},
	{"retry-for", "7s", "", "client.RetryFor=7s"},
	{"state", "file", "", withState + " run.Wait=true"}, {"mirror state", "file", "", withState},
	{"full", "", "--state file", "run.State.Full=true"},
	{"wait", "", "", "run.Wait=true"}, {"mirror wait", "", "", ""},
	{"run no-wait", "", "waiting.yml", "run.Wait="},
	{"verify", "", "", "run.MaxOpenJobs=32 run.Verify=true run.Wait=true"},
	{"remove verify", "", "", "run.Verify=true"}, {"wait verify", "", "", "run.Verify=true"},
	{"wait-timeout", "7m", "--wait", "run.WaitTimeout=7m0s"}, {"wait wait-timeout", "7m", "", "run.WaitTimeout=7m0s"},
	{"send wait-timeout", "7s", "", "run.WaitTimeout=7s"},
	{"max-open-jobs", "7", "--wait", "run.MaxOpenJobs=7"}, {"wait max-open-jobs", "7", "", "run.MaxOpenJobs=7"},
	{"mirror plan", "", "", "run.DryRun=true run.Mirror.Plan=true run.Wait="},
	{"max-removals", "7%", "", "run.Mirror.MaxRemovals.isPercent=true run.Mirror.MaxRemovals.rows= " +
		"run.Mirror.MaxRemovals.share=7000000"},
	{"max-unmatched", "7", "", "run.Mirror.MaxUnmatched.rows=7"},

	{"channel", "sms", "", withSMS + " run.Consent.Channels=3"},
	{"check channel", "sms", "--operation subscribe --channel email", withSMS},
	{"historical", "--consented-at at", "", "run.Checker.consentedAt=at run.Checker.fields.at=set " +
		"run.Consent.Historical=true"},
	{"check historical", "--consented-at at", "--operation subscribe --channel email",
		"run.Checker.consentedAt=at run.Checker.fields.at=set"},
	{"consented-at", "at", "--historical --consented-at on", "run.Checker.consentedAt=at run.Checker.fields.at=set " +
		"run.Checker.fields.on="},
	{"check consented-at", "at", "--operation subscribe --channel email --historical --consented-at on",
		"run.Checker.consentedAt=at run.Checker.fields.at=set run.Checker.fields.on="},
	{"source", "form", "", "run.Consent.Source=form"},

	{"api-key-file", "key", "", "client.Key=pk_of_the_file"},
	{"base-url", "http://127.0.0.1:7", "", "client.BaseURL=http://127.0.0.1:7 run.BaseURL=http://127.0.0.1:7"},
	{"members base-url", "http://127.0.0.1:7", "", "client.BaseURL=http://127.0.0.1:7"},
	{"doctor base-url", "http://127.0.0.1:7", "", "client.BaseURL=http://127.0.0.1:7"},
	{"allow-insecure", "", "--base-url http://127.0.0.1:7", "client.AllowInsecure=true"},
	{"revision", "2026-10-15", "", "client.Revision=2026-10-15"},
	{"simulate", "", "", "run.BaseURL= run.Simulated=true"},

	{"campaign", "C2", "", "run.Campaign=C2"},
	{"clone", "C2", "", "run.Clone=C2"},
	{"max-recipients", "7", "", "run.MaxRecipients=7"},
	{"min-recipients", "7", "", "run.MinRecipients=7"},
	{"no-estimate", "", "", "run.NoEstimate=true"},
	{"again", "", "", "run.Again=true"},

	{"run set", "list=Other", "public.yml --set list=News", "run.List.Name=Other"},
	{"timezone", "Asia/Tokyo", "", "run.Plan.Location=Asia/Tokyo"},
	{"delay", "7m", "", "run.Plan.Delay=7m0s"},
	{"start", "2024-01-02", "", "run.Plan.Start.day=2 run.Plan.Start.month=1 run.Plan.Start.year=2024"},
	{"end", "2024-01-02", "", "run.Plan.End.day=2 run.Plan.End.month=1 run.Plan.End.year=2024"},
	{"skip-on-overtime", "", "", "run.Plan.SkipOnOvertime=true"},
	{"skip-delayed-by", "7m", "", "run.Plan.SkipDelayedBy=7m0s"},
	{"give-up-after", "7", "", "run.GiveUpAfter=7"},

	{"simulate no-rate-limit", "", "", "server.RateLimits="},
	{"simulate plan", "plan.yaml", "", "server.Plan=set server.Plan.Retirement=2028-01-01"},
	{"job-time", "7s", "", "server.JobTime=7s"},
	{"ledger", "", "", "server.Ledger=true"},
}

const (
	byExternalID = "run.Checker.fields.email= run.Checker.fields.email.label= run.Checker.fields.external_id=set " +
		`run.Checker.fields.external_id.label="external_id": run.Checker.required=external_id`
	withSMS = `run.Checker.channels=3 run.Checker.fields.country=set run.Checker.fields.country.label="country": ` +
		`run.Checker.fields.location=set run.Checker.fields.phone_number=set ` +
		`run.Checker.fields.phone_number.label="phone_number": run.Checker.secondName=phone_number`
	withState = "run.State=set run.State.File=file run.State.Mapping.--bad-phone=reject run.State.Mapping.--by=email " +
		"run.State.Mapping.--empty=keep run.State.Mapping.--nulls=ignore"
)

// shows are the flags that change what a command prints. The text is there with the flag and not without it; with a
// minus in front, the other way round. URL is a simulator's address.
var shows = []flagCase{
	{"quiet", "", "--simulate", "-simulating Klaviyo"},
	{"check quiet", "", "", "-standard input had no rows"},
	{"members quiet", "", "--base-url URL", `-members of "News"`},
	{"send quiet", "", "--base-url URL --dry-run", "-Sale"},
	{"wait quiet", "", "--base-url http://192.0.2.1 --allow-insecure", "-unencrypted"},
	{"log-format", "json", "--simulate", `"msg":"started"`},
	{"check log-format", "json", "", `"msg":"started"`},
	{"wait log-format", "json", "--base-url URL", `"msg":"started"`},
	{"members log-format", "json", "--base-url URL", `"level":"WARN"`},
	{"send log-format", "json", "--base-url URL --dry-run", `"level":"WARN"`},
	{"resume", "empty", "--simulate", "empty holds no results"},

	{"everywhere", "", "--simulate --dry-run", "no list"},
	{"print", "", "--simulate", "klaviyo-export add --list-name News"},
	{"task", "+b", "two.dig --print", "klaviyo-export add --list-name News"},
	{"run secrets", "secrets.yml", "secret.yml --print", "klaviyo-export add --list-name"},

	{"members list-name", "Other", "--base-url URL", `members of "Other"`},
	{"members list-id", "Abc123", "--base-url URL --list-id Xyz123", `members of "Other"`},
	{"fields", "first_name", "--base-url URL", `"first_name":"Ann"`},
	{"doctor list-name", "Other", "--base-url URL", "Other"},
	{"doctor list-id", "Abc123", "--base-url URL", "Other"},
	{"status", "applied", "", "ann@example.com"},
	{"format", "text", "", "exit status 1"},
	{"exit-status", "", "", "exit 1"},
	{"rejected", "csv", "", "row,key,column"},

	{"workflow", "daily.dig", "--next 1", `{"type":"time"`},
	{"schedule set", "hour=06", "--workflow set.dig --next 1", "T06:00:00"},
	{"schedule secrets", "secrets.yml", "--workflow secret.dig --next 1", "T06:00:00"},
	{"next", "1", "", `{"type":"time"`},
	{"from", "2024-01-01", "--next 1", `"2024-01-02T00:00:00Z"`},
	{"explain", "", "", "every day"},
	{"export", "crontab @daily -- true", "", "0 0 * * *"},
	{"log", ". @daily -- true", "--end 2000-01-01", "open the log of runs"},
	{"addr", "127.0.0.2:0", "", "http://127.0.0.2:"},
}

// usual are the flags that a command needs, and usualList those that give way to others of their kind.
var (
	usual = map[string]string{
		"mirror": "--max-removals 5", "subscribe": "--channel email", "unsubscribe": "--channel email",
		"run": "settings.yml", "send": "--campaign C1 --max-recipients 9", "pick": "results", "report": "failed",
	}
	usualList = map[string]string{
		"add": "--list-name News", "remove": "--list-name News", "mirror": "--list-name News",
		"subscribe": "--list-name News", "unsubscribe": "--list-name News", "members": "--list-name News",
		"schedule": "@daily",
	}
)

// line returns the words of a case, with the flag or without it.
func (f *flagCase) line(command, flag string, with bool, url string) []string {
	words, beside := []string{command}, strings.Fields(strings.ReplaceAll(f.beside, "URL", url))
	if command != "run" || len(beside) == 0 || strings.HasPrefix(beside[0], "--") {
		words = append(words, strings.Fields(usual[command])...)
	}
	other := strings.Contains(f.beside, "--list-") || strings.Contains(f.beside, "--workflow")
	if !other && !slices.Contains([]string{"everywhere", "workflow", "log", "export"}, flag) {
		words = append(words, strings.Fields(usualList[command])...)
	}
	words = append(words, beside...)
	if with {
		words = append(append(words, "--"+flag), strings.Fields(f.value)...)
	}
	return words
}

// flagTest tries the cases.
type flagTest struct {
	*testing.T
	console *console
	parser  *kong.Kong
	url     string                       // of a simulator
	known   map[string]map[string]string // the options of the lines without the flag
	printed map[string]string            // what lines print
}

// optionsOf returns the options that a line leads to, each with its place; zeros are left out.
func (t *flagTest) optionsOf(args []string) (map[string]string, error) {
	t.Helper()
	line, err := t.parser.Parse(args)
	if err != nil {
		return nil, err
	}
	all, g, asks := map[string]string{}, givenOn(line), (*klaviyoFlags)(nil)
	switch command := line.Selected().Target.Addr().Interface().(type) {
	case *runCommand:
		_, args, err := command.read(t.console, g, line)
		if err != nil {
			return nil, err
		}
		return t.optionsOf(args)
	case planner:
		plan, err := command.plan(g)
		if err != nil {
			return nil, err
		}
		if plan.client.Key, err = plan.key(t.console); err != nil {
			return nil, err
		}
		flatten(all, "run", reflect.ValueOf(plan.options))
		flatten(all, "client", reflect.ValueOf(plan.client))
	case *checkCommand:
		o, err := command.options(g)
		if err != nil {
			return nil, err
		}
		flatten(all, "run", reflect.ValueOf(o))
	case *waitCommand:
		flatten(all, "run", reflect.ValueOf(command.options()))
		asks = &command.klaviyoFlags
	case *sendCommand:
		flatten(all, "run", reflect.ValueOf(command.options()))
		asks = &command.klaviyoFlags
	case *membersCommand:
		asks = &command.klaviyoFlags
	case *doctorCommand:
		asks = &command.klaviyoFlags
	case *scheduleCommand:
		plan, _, err := command.read(t.console, g, line)
		if err != nil {
			return nil, err
		}
		flatten(all, "run", reflect.ValueOf(command.runsFlags.options(plan)))
	case *simulateCommand:
		o, err := command.options(t.console)
		if err != nil {
			return nil, err
		}
		flatten(all, "server", reflect.ValueOf(o))
	}
	if asks != nil {
		client, badKey, err := asks.asking(t.console, time.Minute)
		if err = cmp.Or(badKey, err); err != nil {
			return nil, err
		}
		client.Close()
		flatten(all, "client", reflect.ValueOf(client).Elem().FieldByName("options"))
	}
	return all, nil
}

// flatten adds what a value of ours holds, except for functions and zeros.
func flatten(all map[string]string, at string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		switch {
		case v.IsNil():
		case v.Type() == reflect.TypeFor[*time.Location]():
			all[at] = (*time.Location)(v.UnsafePointer()).String()
		case v.Elem().Kind() != reflect.Struct:
			all[at] = fmt.Sprint(v.Elem())
		case strings.HasPrefix(v.Elem().Type().PkgPath(), "klaviyo-export/"):
			all[at] = "set"
			flatten(all, at, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			flatten(all, at+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			place := fmt.Sprintf("%s.%v", at, key)
			if v.MapIndex(key).Kind() == reflect.Struct {
				all[place] = "set"
			}
			flatten(all, place, v.MapIndex(key))
		}
	case reflect.Slice:
		for i := range v.Len() {
			flatten(all, fmt.Sprintf("%s.%d", at, i), v.Index(i))
		}
	case reflect.Func, reflect.Chan:
	default:
		if !v.IsZero() && v.Type().Name() != "target" { // its numbers mean nothing
			all[at] = fmt.Sprint(v)
		}
	}
}

// change is what differs between the options before and after, in order.
func change(before, after map[string]string) string {
	all := map[string]string{}
	maps.Copy(all, after)
	for at := range before {
		if before[at] == after[at] {
			delete(all, at)
		} else if _, still := after[at]; !still {
			all[at] = ""
		}
	}
	var text []string
	for _, at := range slices.Sorted(maps.Keys(all)) {
		text = append(text, at+"="+all[at])
	}
	return strings.Join(text, " ")
}

// Every flag of every command has its effect: it reaches the options that it sets, and no others, or changes what is
// printed. A flag without a case above fails, and so does a case without its flag.
func TestFlagsHaveTheirEffect(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("KLAVIYO_API_KEY", "pk_of_the_environment")
	const add = "type: klaviyo\napi_token: pk_of_settings\noperation: add\nlist_identify_type: name\nlist_value: "
	const cron = "timezone: UTC\nschedule:\n  cron>: 0 "
	const task = ":\n  td>: q.sql\n  result_connection: c\n  result_settings:"
	inner := strings.ReplaceAll("\n"+add+"News\n", "\n", "\n    ")
	for name, text := range map[string]string{
		"key": "pk_of_the_file", "secrets.yml": "hour: '06'\nlist: News\n", "empty": "",
		"plan.yaml":    "retirement: 2028-01-01\n",
		"settings.yml": add + "News\n", "waiting.yml": add + "News\nwait_for_completion: true\n",
		"public.yml": add + "${list}\n", "secret.yml": add + "${secret:list}\n",
		"two.dig":   "+a" + task + strings.Replace(inner, "News", "No", 1) + "\n+b" + task + inner + "\n",
		"daily.dig": cron + "6 * * *\n", "set.dig": cron + "${hour} * * *\n",
		"secret.dig": cron + "${secret:hour} * * *\n",
	} {
		write(t, name, text)
	}
	plan, err := simulator.ReadPlan("plan", strings.NewReader("campaigns:\n  - {id: C1, name: Sale, lists: [News]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	sim := simulator.New(simulator.Options{JobTime: time.Millisecond, Plan: plan, Wrap: described(t)})
	url, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	sim.AddListAs("Abc123", "Other")
	sim.AddListAs("Xyz123", "Third")
	const ann = `{"email":"ann@example.com","first_name":"Ann"}` + "\n"
	exit, results, errs := called(t, ann, "add", "--list-name", "News", "--wait", "--base-url", url)
	if exit != 0 {
		t.Fatal(results, errs)
	}
	write(t, "results", results)
	_, failed, _ := called(t, ann+"{}", "check")
	write(t, "failed", failed)

	c := newConsole(&Program{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard})
	c.ctx, c.abort = context.Background(), context.Background()
	parser := newParser(new(commands), io.Discard, io.Discard, func(int) {})
	test := &flagTest{t, c, parser, url, map[string]map[string]string{}, map[string]string{}}
	met := map[string]bool{}
	for _, command := range Model().Children {
		for _, flag := range command.Flags {
			if flag.Name != "help" {
				met[command.Name+" "+flag.Name], met[flag.Name] = true, true
				test.flag(command.Name, flag)
			}
		}
	}
	for _, f := range slices.Concat(sets, shows) {
		if !met[f.flag] {
			t.Errorf("no command has the flag of the case %q", f.flag)
		}
	}
}

func casesOf(all []flagCase, name string) []flagCase {
	return slices.DeleteFunc(slices.Clone(all), func(f flagCase) bool { return f.flag != name })
}

// flag tries the cases of a command's flag.
func (t *flagTest) flag(command string, flag *kong.Flag) {
	t.Helper()
	name := command + " " + flag.Name
	set, show := casesOf(sets, name), casesOf(shows, name)
	common := len(set)+len(show) == 0
	if common {
		set, show = casesOf(sets, flag.Name), casesOf(shows, flag.Name)
	}
	switch {
	case len(set)+len(show) == 0:
		t.Errorf("%s: no case says what --%s changes", command, flag.Name)
	case common && flag.Hidden && name != "mirror check-first":
		f := flagCase{value: append(set, show...)[0].value}
		_, err := t.optionsOf(f.line(command, flag.Name, true, t.url))
		if want := "--" + flag.Name + " has no effect with " + command; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s, got %v, want %s", name, err, want)
		}
		return
	}
	for _, f := range set {
		line := f.line(command, flag.Name, false, t.url)
		before, known := t.known[strings.Join(line, " ")]
		if !known {
			var err error
			if before, err = t.optionsOf(line); err != nil {
				t.Errorf("%s, without the flag: %v", name, err)
			}
			t.known[strings.Join(line, " ")] = before
		}
		after, err := t.optionsOf(f.line(command, flag.Name, true, t.url))
		got := change(before, after)
		if err != nil {
			got = "refused: " + err.Error()
		}
		if got != f.want {
			t.Errorf("%s %s, got\n%s\nwant\n%s", name, f.value, got, f.want)
		}
	}
	for _, f := range show {
		text, gone := strings.CutPrefix(f.want, "-")
		without := t.prints(f.line(command, flag.Name, false, t.url))
		with := t.prints(f.line(command, flag.Name, true, t.url))
		if strings.Contains(without, text) != gone || strings.Contains(with, text) == gone {
			t.Errorf("%s %s, expected %s, got\n%s\nwithout it\n%s", name, f.value, f.want, with, without)
		}
	}
}

// prints returns what a command prints, with its exit status.
func (t *flagTest) prints(args []string) string {
	line := strings.Join(args, " ")
	text, known := t.printed[line]
	if !known {
		text = t.print(args)
		t.printed[line] = text
	}
	return text
}

func (t *flagTest) print(args []string) string {
	t.Helper()
	input := ""
	switch args[0] {
	case "pick":
		input = `{"email":"ann@example.com"}`
	case "send":
		text, err := os.ReadFile("results")
		if err != nil {
			t.Fatal(err)
		}
		input = string(text)
	case "simulate": // a server that a signal stops as soon as it runs
		var out bytes.Buffer
		c := newConsole(&Program{Out: &out, Err: &out})
		ctx, stop := context.WithCancel(context.Background())
		stop()
		c.ctx = ctx
		line, err := t.parser.Parse(args)
		if err == nil {
			err = line.Run(c, givenOn(line))
		}
		return fmt.Sprint(out.String(), err)
	}
	exit, out, errs := called(t.T, input, args...)
	return fmt.Sprintf("%s%sexit %d", out, errs, exit)
}
