package main

import (
	"bytes"
	"strings"
)

// customerFaults are faults of single columns for add.
var customerFaults = []*fault{
	{"duplicate_member", 2, alone(
		twice("email", "email"), twice(`em\u0061il`, "email"), twice("first_name", "first_name"),
		twice("plan", "plan"), twice(`pl\u0061n`, "plan"),
		setFor("properties.colour", "properties", `{"colour":"red","size":42,"colour":"blue"}`),
		setFor("properties.colour", "properties", `{"colour":"red","c\u006flour":"red"}`),
		setFor("location.city", "location", `{"city":"Köln","zip":"50667","city":"Cologne"}`),
		both("city", `"Köln"`, "location", `{"country":"DE","city":"Köln"}`),
		both("plan", `"plus"`, "properties", `{"plan":"pro"}`),
	)},
	{"email_missing", 3, []kind{
		without("email"), renamed("email", "EMAIL"), renamed("email", "Email"), renamed("email", "e-mail"),
		set("email", "null"), set("email", `""`), set("email", `"  "`), set("email", `"\t"`), set("email", `"\u3000"`),
	}},
	{"email_invalid", 6, addressKinds()},
	{"phone_invalid", 6, phoneKinds()},
	{"type_wrong", 4, alone(
		set("email", "42"), set("email", "true"), set("email", `["ann@example.com"]`),
		set("email", `{"address":"ann@example.com"}`),
		set("phone_number", "4915112345678"), set("phone_number", `["+4915112345678"]`), set("phone_number", "false"),
		set("first_name", "7"), set("last_name", `["van","Dyk"]`), set("external_id", "104233"),
		set("organization", `{"name":"Müller"}`),
		set("title", "1"), set("locale", "false"), set("image", "0"), set("_kx", "1"), set("city", `["Köln"]`),
		set("zip", "20121"), set("country", "81"),
		set("timezone", "9"), set("latitude", "true"), set("longitude", "[139.7]"),
		set("location", `"Berlin"`), set("location", "[]"), set("location", "1"), set("properties", `"vip"`),
		set("properties", `["vip"]`), set("properties", "true"),
		setFor("location.zip", "location", `{"city":"Milano","zip":20121}`),
		setFor("location.town", "location", `{"town":"Bath"}`),
		setFor("location.latitude", "location", `{"latitude":[48.1],"city":"München"}`),
		setFor("location.ip", "location", `{"ip":2130706433}`),
	)},
	{"name_reserved", 1, alone(
		set("$email", `"ann@example.com"`), set("$source", "-1"), set("$consent", `["email"]`), set("$", "false"),
		setFor("properties.$consent", "properties", `{"$consent":["email"]}`),
		setFor("properties.$id", "properties", `{"colour":"red","$id":"01"}`),
	)},
}

// removalFaults are faults of single columns for remove.
var removalFaults = []*fault{
	{"duplicate_member", 2, []kind{
		twice("profile_id", "profile_id"), twice(`profile\u005fid`, "profile_id"), twice("reason", "reason"),
	}},
	{"profile_id_missing", 2, []kind{
		without("profile_id"), renamed("profile_id", "PROFILE_ID"), renamed("profile_id", "id"),
		set("profile_id", "null"), set("profile_id", `""`), set("profile_id", `"   "`), set("profile_id", `"\u3000"`),
	}},
	{"profile_id_invalid", 3, []kind{
		set("profile_id", `"01H5 8Y2RNX EM3C"`), set("profile_id", `"ann@example.com"`),
		set("profile_id", `"01H58Y2RNX,01H58Y2RNZ"`), set("profile_id", `"{01H58Y2RNX}"`),
		set("profile_id", `"01H58Y2RNX/profile"`), set("profile_id", `"01H58Y2RÑX"`),
		set("profile_id", `"01H58\u0000Y2"`), set("profile_id", `"\"01H58Y2RNX\""`),
		set("profile_id", `"`+strings.Repeat("01H58Y2RNX", 10)+`0"`), set("profile_id", `"０１Ｈ５８"`),
		set("profile_id", `"01H5\n8Y2R"`), set("profile_id", `"01H58Y2R.X"`),
	}},
	{"type_wrong", 2, []kind{
		set("profile_id", "9007199254740993"), set("profile_id", "true"), set("profile_id", `["01H58Y2RNX"]`),
		set("profile_id", `{"id":"01H58Y2RNX"}`), set("profile_id", "1.5"),
	}},
}

// alone makes kinds that first remove all columns that could have a fault beside theirs.
func alone(kinds ...kind) []kind {
	list := make([]kind, len(kinds))
	for i, k := range kinds {
		list[i] = func(g *generator, b []byte) ([]byte, string) {
			g.draft.drop("phone_number", "location", "properties", "address1", "city", "zip", "country", "timezone",
				"latitude", "longitude", "$source")
			return k(g, b)
		}
	}
	return list
}

// twice gives the row the column, and then the same column again with another spelling of its name.
func twice(spelling, column string) kind {
	return func(g *generator, b []byte) ([]byte, string) {
		value := `"` + string(g.address) + `"`
		g.draft.set(column, value)
		g.draft.add(spelling, value)
		return g.draft.appendTo(b), column
	}
}

// both gives the row a column and, behind it, an object with a member of that name. The result names the member.
func both(column, value, object, members string) kind {
	return func(g *generator, b []byte) ([]byte, string) {
		g.draft.set(column, value)
		g.draft.add(object, members)
		return g.draft.appendTo(b), object + "." + column
	}
}

// without removes the column.
func without(column string) kind {
	return func(g *generator, b []byte) ([]byte, string) {
		g.draft.drop(column)
		return g.draft.appendTo(b), column
	}
}

// renamed gives the column another name.
func renamed(column, name string) kind {
	return func(g *generator, b []byte) ([]byte, string) {
		for i := range g.draft.members {
			if g.draft.members[i].name == column {
				g.draft.members[i].name = name
			}
		}
		return g.draft.appendTo(b), column
	}
}

// addressKinds are addresses that cannot receive mail. Most of them are good addresses with a slip.
func addressKinds() []kind {
	var kinds []kind
	for _, pattern := range []string{
		"{local}", "{local}@", "@{domain}", "{local} at {domain}", "{local}{domain}", "{local}@@{domain}",
		"{local}@{domain}@{domain}",
		".{local}@{domain}", "{local}.@{domain}", "x..{local}@{domain}", "{local}@example", "{local}@localhost",
		"{local}@example.c", "{local}@.{domain}",
		"{local}@{domain}.", "{local}@example..com", "{local}@-example.com", "{local}@example-.com",
		"{local}@ex_ample.com", "{local}@example.123",
		"{local}@[192.0.2.1]", "{local}@192.0.2.1", "{local}@example,com", "{local} @{domain}", "{local}@ {domain}",
		"x {local}@{domain}", "{local}\n@{domain}",
		"Ann Smith <{local}@{domain}>", "<{local}@{domain}>", "mailto:{local}@{domain}",
		"{local}@{domain};ann@example.com", "{local}@{domain}, ann@example.com",
		`"ann smith"@{domain}`, `ann\smith@{domain}`, "(ann){local}@{domain}", "jürgen.{local}@{domain}",
		"{local}@bücher.example.com", "{local}＠{domain}", "佐藤@{domain}",
		"{local}\u200b@{domain}", "{local}@{domain}\u00ad", "n/a", "-", "none", "unknown", "null", "?", "@",
		"+49 151 23456789",
		strings.Repeat("long.", 13) + "{local}@{domain}",
		"{local}@" + strings.Repeat("very-", 13) + "long.example.com",
		"{local}@" + strings.Repeat("sub.", 25) + "example.com",
	} {
		kinds = append(kinds, func(g *generator, b []byte) ([]byte, string) {
			local, domain, _ := bytes.Cut(g.address, []byte{'@'})
			address := strings.NewReplacer("{local}", string(local), "{domain}", string(domain)).Replace(pattern)
			return set("email", quote(address))(g, b)
		})
	}
	return kinds
}

// phoneKinds are phone numbers that do not exist, and numbers without a country code or the country's ISO code.
func phoneKinds() []kind {
	var kinds []kind
	for _, pattern := range []string{
		"+1234", "+1 1## ### ####", "+1 212 1## ####", "+49 15", "+49 151 #### #### #### ##", "+999 123 456 ###",
		"+0 151 #### ####", "+", "+44 20 7946 0#### #####", "+81 90 ####",
		"0151 #### ####", "(212) 555-0###", "12125550###", "49151########", "06 12 ## ## ##", "090-1234-####",
		"tel: 0151########", "12345", "0",
		"+49 151 #### #### ext. 12", "+1 212 555 0### x5", "tel:+1-212-555-0###;ext=7", "++49151########",
		"+49+151########", "+49151########, +49151########", "+49 151 #### ####;",
		"+1-800-FLOWERS", "4.91512E+12", "'+49151########", "n/a", "none", "call after 6 pm", "—",
		"☎ +49 151 ########", "ann@example.com", "mobile: +49 151 ########",
	} {
		kinds = append(kinds, func(g *generator, b []byte) ([]byte, string) {
			return set("phone_number", string(g.dice.fill(nil, `"`+pattern+`"`)))(g, b)
		})
	}
	for _, country := range []string{"Germania", "DEX", "Uk.", "XX", "", "49", "日本"} {
		kinds = append(kinds, func(g *generator, b []byte) ([]byte, string) {
			g.draft.add("country", quote(country))
			return set("phone_number", `"0151 12345678"`)(g, b)
		})
	}
	return alone(kinds...)
}
