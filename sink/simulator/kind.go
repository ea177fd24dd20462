package simulator

// kind is one kind of fault. It has either serve or affect.
type kind struct {
	// parameters are the members of Fault that the kind takes, besides everyKind. NAME=A,B,… allows only these values.
	parameters []string
	// last says that the faults after this one do not act on the same request.
	last bool
	// serve answers a request. next passes it on, and may be called any number of times.
	serve func(f *Fault, x *exchange, next func() *kept) *kept
	// affect acts on an import that would be accepted. An answer that is not nil replaces acceptance.
	affect func(f *Fault, j *job) *answer
	// concerns reports whether an import matches; nil: every import does.
	concerns func(f *Fault, j *job) bool
	// wrong returns what is wrong with the parameters, or ""; it may be nil.
	wrong func(f *Fault) string
}

// everyKind are the parameters that every kind takes.
var everyKind = []string{"on", "skip", "times", "every", "percent", "do"}

// selecting are the parameters of the kinds that change some of a list's members.
var selecting = []string{"addresses", "phones", "profiles", "as=drawn", "processed"}

// kinds are the kinds that a plan may name.
var kinds = map[string]kind{
	"status": {parameters: []string{"status", "as=error,page,empty,text,legacy", "body", "type", "headers", "code",
		"detail"}, last: true, serve: serveStatus, wrong: wrongStatus},
	"throttle": {parameters: []string{"retry_after", "form=seconds,date,none", "window=second,minute,day"},
		last: true, serve: serveThrottle, wrong: wrongThrottle},
	"challenge": {last: true, serve: serveChallenge},
	"reset":     {parameters: []string{"processed"}, last: true, serve: serveReset},
	"lose": {parameters: []string{"status", "as=page,empty,text,error,no_id", "body", "type", "headers", "code",
		"detail"}, last: true, serve: serveLoss, wrong: wrongLoss},
	"truncate": {parameters: []string{"bytes"}, serve: serveTruncated},
	"delay":    {parameters: []string{"before", "after"}, serve: serveDelayed, wrong: wrongDelay},
	"redirect": {parameters: []string{"to", "status"}, last: true, serve: serveRedirect, wrong: wrongTarget},
	"relink":   {parameters: []string{"to"}, serve: serveRelinked, wrong: wrongTarget},
	"twice":    {serve: serveTwice},

	"join": {parameters: []string{"addresses", "profiles", "as=newest", "processed"}, serve: serveJoin,
		wrong: wrongJoin},
	"leave":          {parameters: selecting, serve: serveLeave},
	"rejoin":         {parameters: selecting, serve: serveRejoin},
	"delete_profile": {parameters: selecting, serve: serveDeletedProfile},
	"merge":          {parameters: append([]string{"into", "forget"}, selecting...), serve: serveMerge, wrong: wrongMerge},
	"rename_list":    {parameters: []string{"name", "processed"}, serve: serveRenamed, wrong: wrongName},
	"delete_list":    {parameters: []string{"processed"}, serve: serveDeleted, wrong: wrongList},

	"hide":   {parameters: []string{"addresses", "phones"}, serve: serveHidden},
	"unname": {parameters: []string{"addresses", "phones"}, serve: serveUnnamed},
	"loop":   {parameters: []string{"as=same,first"}, serve: serveLoop},

	"refuse": {parameters: []string{"addresses", "indexes", "phones", "naming=all,rounds,unnamed", "code",
		"detail", "attribute"}, last: true, affect: refuse, concerns: concernsProfiles},
	"too_large": {parameters: []string{"profiles", "bytes"},
		last: true, affect: refuseSize, concerns: concernsSize, wrong: wrongSize},
	"fail": {parameters: []string{"addresses", "indexes", "code", "detail", "payload=full,none,attributes",
		"pointer=index,data", "report", "uppercase"}, affect: fail, concerns: concernsProfiles, wrong: wrongReport},
	"cancel": {parameters: []string{"after"}, affect: cancel},
	"stuck":  {affect: stick},
	"expire": {parameters: []string{"after"}, affect: expire},
	"keep_properties": {parameters: []string{"addresses", "indexes", "phones"}, affect: keepProperties,
		concerns: concernsUnset},
	"drop_phone": {parameters: []string{"phones"}, affect: dropPhones, concerns: concernsPhones, wrong: wrongPhones},
}
