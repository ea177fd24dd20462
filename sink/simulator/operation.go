package simulator

import (
	"net/http"
	"net/url"
	"strings"
)

// operation is one method on one path of the API.
type operation struct {
	method, path string
	tier         []window
	serve        func(*Simulator, *call) answer
	scopes       string // that a key needs, with blanks between them
	query        grammar
	body         bool // the request has a body
	relationship bool // the answer has identifiers in place of whole resources
}

const importPath = "/api/profile-bulk-import-jobs"

// The filters that the collections allow.
var (
	oneOrMore  = []string{"any", "equals", "equals[]"}
	inList     = []string{"any", "equals[]"}
	jobFilter  = filterable{"status": oneOrMore}
	listFilter = filterable{
		"name": oneOrMore, "id": oneOrMore, "created": {"greater-than"}, "updated": {"greater-than"},
	}
	memberFilter = filterable{
		"email": inList, "phone_number": inList, "push_token": inList, "_kx": {"equals"},
		"joined_group_at": {"greater-than", "greater-or-equal", "less-than", "less-or-equal"},
	}
	campaignFilter = filterable{"messages.channel": {"equals"}, "name": {"contains"}, "id": {"any"}}
	profileFilter  = filterable{
		"id": oneOrMore, "email": oneOrMore, "phone_number": oneOrMore, "external_id": oneOrMore, "_kx": {"equals"},
		"created": {"greater-than", "less-than"}, "updated": {"greater-than", "less-than"},
	}
)

// The queries of the collections.
var (
	consent   = map[string]string{"profile": "subscriptions"}
	listPages = grammar{fields: []string{"list"}, filter: listFilter, size: 10, maxSize: 10,
		sort: []string{"created", "id", "name", "updated"}}
	memberPages = grammar{fields: []string{"profile"}, additional: consent, filter: memberFilter, size: 20, maxSize: 100,
		sort: []string{"joined_group_at"}}
	memberIDPages = grammar{filter: memberFilter, size: 20, maxSize: 100, sort: []string{"joined_group_at"}}
	profilePages  = grammar{fields: []string{"profile"}, additional: consent, filter: profileFilter,
		size: 20, maxSize: 100, sort: []string{"created", "email", "id", "updated"}}
	campaignFields = []string{"campaign", "campaign-message", "tag"}
	campaignPages  = grammar{fields: campaignFields, filter: campaignFilter,
		size: 100, maxSize: 100, sort: []string{"created_at", "id", "name", "updated_at"}}
	jobPages = grammar{fields: []string{"profile-bulk-import-job"}, filter: jobFilter, size: 20, maxSize: 100,
		sort: []string{"created_at"}}
)

// operations are all endpoints below /api/.
var operations = []operation{
	{method: "GET", path: "/api/accounts", scopes: "accounts:read", tier: tierXS, serve: (*Simulator).getAccounts,
		query: grammar{fields: []string{"account"}}},
	{method: "GET", path: "/api/accounts/{id}", scopes: "accounts:read", tier: tierXS, serve: (*Simulator).getAccount,
		query: grammar{fields: []string{"account"}}},

	{method: "GET", path: "/api/lists", scopes: "lists:read", tier: tierL, serve: (*Simulator).getLists,
		query: listPages},
	{method: "POST", path: "/api/lists", scopes: "lists:write", tier: tierCreate, serve: (*Simulator).postList,
		body: true, query: grammar{fields: []string{"list"}}},
	{method: "GET", path: "/api/lists/{id}", scopes: "lists:read", tier: tierL, serve: (*Simulator).getList,
		query: grammar{fields: []string{"list"}, additional: map[string]string{"list": "profile_count"}}},
	{method: "PATCH", path: "/api/lists/{id}", scopes: "lists:write", tier: tierM, serve: (*Simulator).patchList,
		body: true, query: grammar{fields: []string{"list"}}},
	{method: "DELETE", path: "/api/lists/{id}", scopes: "lists:write", tier: tierM, serve: (*Simulator).deleteList},

	{method: "GET", path: "/api/lists/{id}/profiles", scopes: "lists:read profiles:read", tier: tierL,
		serve: (*Simulator).getMembers, query: memberPages},
	{method: "GET", path: "/api/lists/{id}/relationships/profiles", scopes: "lists:read profiles:read", tier: tierL,
		serve: (*Simulator).getMembers, query: memberIDPages, relationship: true},
	{method: "POST", path: "/api/lists/{id}/relationships/profiles", scopes: "lists:write profiles:write",
		tier: tierM, serve: (*Simulator).postMembers, body: true},
	{method: "DELETE", path: "/api/lists/{id}/relationships/profiles", scopes: "lists:write profiles:write",
		tier: tierM, serve: (*Simulator).deleteMembers, body: true},

	{method: "GET", path: "/api/profiles", scopes: "profiles:read", tier: tierL, serve: (*Simulator).getProfiles,
		query: profilePages},
	{method: "GET", path: "/api/profiles/{id}", scopes: "profiles:read", tier: tierL, serve: (*Simulator).getProfile,
		query: grammar{fields: []string{"profile"}, additional: consent}},
	{method: "GET", path: "/api/profiles/{id}/lists", scopes: "lists:read profiles:read", tier: tierS,
		serve: (*Simulator).getMemberships, query: grammar{fields: []string{"list"}}},
	{method: "GET", path: "/api/profiles/{id}/relationships/lists", scopes: "lists:read profiles:read", tier: tierS,
		serve: (*Simulator).getMemberships, relationship: true},

	{method: "POST", path: "/api/profile-subscription-bulk-create-jobs", tier: tierL, serve: (*Simulator).postSubscribe,
		scopes: "lists:write profiles:write subscriptions:write", body: true},
	{method: "POST", path: "/api/profile-subscription-bulk-delete-jobs", tier: tierL, serve: (*Simulator).postUnsubscribe,
		scopes: "lists:write profiles:write subscriptions:write", body: true},

	{method: "GET", path: importPath, scopes: "lists:read profiles:read", tier: tierM, serve: (*Simulator).getJobs,
		query: jobPages},
	{method: "POST", path: importPath, scopes: "lists:write profiles:write", tier: tierM,
		serve: (*Simulator).postImport, body: true,
		query: grammar{fields: []string{"profile-bulk-import-job"}}},
	{method: "GET", path: importPath + "/{id}", scopes: "lists:read profiles:read", tier: tierM,
		serve: (*Simulator).getJob,
		query: grammar{fields: []string{"list", "profile-bulk-import-job"}, include: "lists"}},
	{method: "GET", path: importPath + "/{id}/import-errors", scopes: "profiles:read", tier: tierM,
		serve: (*Simulator).getImportErrors,
		query: grammar{fields: []string{"import-error"}, size: 20, maxSize: 100}},
	{method: "GET", path: importPath + "/{id}/profiles", scopes: "profiles:read", tier: tierM,
		serve: (*Simulator).getJobProfiles, query: grammar{fields: []string{"profile"}, size: 20, maxSize: 100}},
	{method: "GET", path: importPath + "/{id}/relationships/profiles", scopes: "profiles:read", tier: tierM,
		serve: (*Simulator).getJobProfiles, query: grammar{size: 20, maxSize: 100}, relationship: true},
	{method: "GET", path: importPath + "/{id}/lists", scopes: "lists:read", tier: tierM,
		serve: (*Simulator).getJobLists, query: grammar{fields: []string{"list"}}},
	{method: "GET", path: importPath + "/{id}/relationships/lists", scopes: "lists:read", tier: tierM,
		serve: (*Simulator).getJobLists, relationship: true},

	{method: "GET", path: campaignsPath, scopes: "campaigns:read", tier: tierM, serve: (*Simulator).getCampaigns,
		query: campaignPages},
	{method: "GET", path: campaignsPath + "/{id}", scopes: "campaigns:read", tier: tierM,
		serve: (*Simulator).getCampaign, query: grammar{fields: campaignFields, include: "campaign-messages"}},
	{method: "PATCH", path: campaignsPath + "/{id}", scopes: "campaigns:write", tier: tierM,
		serve: (*Simulator).patchCampaign, body: true, query: grammar{fields: []string{"campaign"}}},
	{method: "POST", path: "/api/campaign-clone", scopes: "campaigns:write", tier: tierM,
		serve: (*Simulator).postClone, body: true, query: grammar{fields: []string{"campaign"}}},
	{method: "GET", path: messagesPath + "/{id}/template", scopes: "campaigns:read templates:read", tier: tierM,
		serve: (*Simulator).getMessageTemplate, query: grammar{fields: []string{"template"}}},
	{method: "POST", path: sendJobsPath, scopes: "campaigns:write", tier: tierM, serve: (*Simulator).postSendJob,
		body: true, query: grammar{fields: []string{"campaign-send-job"}}},
	{method: "GET", path: sendJobsPath + "/{id}", scopes: "campaigns:read", tier: tierM,
		serve: (*Simulator).getSendJob, query: grammar{fields: []string{"campaign-send-job"}}},
	{method: "POST", path: estimatingPath, scopes: "campaigns:write", tier: tierM, serve: (*Simulator).postEstimation,
		body: true, query: grammar{fields: []string{estimating}}},
	{method: "GET", path: estimatingPath + "/{id}", scopes: "campaigns:read", tier: tierM,
		serve: (*Simulator).getEstimating, query: grammar{fields: []string{estimating}}},
	{method: "GET", path: estimatesPath + "/{id}", scopes: "campaigns:read", tier: tierM,
		serve: (*Simulator).getEstimate, query: grammar{fields: []string{"campaign-recipient-estimation"}}},
}

// other is the name of a request that is no operation.
const other = "other"

// name returns the operation's method and path.
func (op *operation) name() string { return op.method + " " + op.path }

// lookUp finds the operation of a request and the id in its path. If the path has no such method, it returns
// the methods that the path has. A slash at the end of the path makes no difference.
func lookUp(r *http.Request) (op *operation, id string, methods []string) {
	path := strings.TrimSuffix(r.URL.EscapedPath(), "/")
	for i := range operations {
		id, ok := matchPath(operations[i].path, path)
		if !ok {
			continue
		}
		if operations[i].method == r.Method {
			return &operations[i], id, nil
		}
		methods = append(methods, operations[i].method)
	}
	return nil, "", methods
}

func matchPath(pattern, path string) (id string, ok bool) {
	for pattern != "" && path != "" {
		var want, have string
		want, pattern, _ = strings.Cut(pattern[1:], "/")
		have, path, _ = strings.Cut(path[1:], "/")
		if pattern != "" {
			pattern = "/" + pattern
		}
		if path != "" {
			path = "/" + path
		}
		switch {
		case want == "{id}" && have != "":
			var err error
			if id, err = url.PathUnescape(have); err != nil {
				return "", false
			}
		case want != have:
			return "", false
		}
	}
	return id, pattern == "" && path == ""
}
