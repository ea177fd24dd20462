package validate

import (
	"strings"
	"unicode/utf8"
)

// Lookalike is a column that became a custom property, or is not read, although its name looks like an attribute of
// Klaviyo.
type Lookalike struct {
	Column string
	Meant  string // the target for --map, such as first_name, city or properties.plan
}

// Lookalikes returns, in order, those of Columns that look like an attribute that no other column fills.
func (c *Checker) Lookalikes() (found []Lookalike) {
	columns := c.Columns()
	filled := map[string]bool{}
	for _, column := range columns {
		filled[strings.TrimPrefix(column.As, "location.")] = true
	}
	for _, column := range columns {
		_, named := c.fields[column.Column]
		if named || column.As != "properties."+column.Column && !(c.operation.consents() && column.As == "dropped") {
			continue // an attribute, a column that the options name, or a member of properties
		}
		meant := lookalike(column.Column)
		if _, read := c.fields[meant]; c.operation.consents() && !read {
			continue
		}
		if meant != "" && !filled[meant] {
			found = append(found, Lookalike{column.Column, meant})
			filled[meant] = true
		}
	}
	return found
}

// lookalike returns the target that a name looks like, "" for none.
func lookalike(name string) string {
	if property, ok := strings.CutPrefix(name, "properties."); ok && property != "" && property[0] != '$' {
		return name
	}
	if member, ok := strings.CutPrefix(name, "location."); ok {
		return locationFields[member].target.name()
	}
	var buffer [maxSynonym]byte
	return synonyms[string(appendPlain(buffer[:0], name))].name()
}

// appendPlain appends the letters and digits of a name in lower case, or nothing if there are too many to be like the
// name of an attribute.
func appendPlain(b []byte, name string) []byte {
	for _, c := range []byte(name) {
		switch {
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		case c < utf8.RuneSelf && classes[c]&(letter|ldh) == 0 || c == '-':
			continue
		}
		if len(b) == maxSynonym {
			return nil
		}
		b = append(b, c)
	}
	return b
}

// maxSynonym is more than any synonym has.
const maxSynonym = 24

// synonyms are the targets by the plain names that people give them, their own names included.
var synonyms = func() map[string]target {
	all := map[string]target{}
	for t := email; t <= longitude; t++ {
		if t != kx {
			all[string(appendPlain(nil, t.name()))] = t
		}
	}
	for t, names := range map[target]string{
		email: "mail emailaddress emailaddr mailaddress useremail customeremail contactemail primaryemail",
		phoneNumber: "phone phoneno phonenum telephone telephonenumber tel telno " +
			"mobile mobilephone mobilenumber mobileno cell cellphone cellnumber msisdn",
		firstName:    "fname givenname forename namefirst",
		lastName:     "lname familyname surname namelast",
		organization: "organisation company companyname",
		title:        "jobtitle",
		image:        "imageurl",
		address1:     "address street streetaddress street1 addressline1 addr1",
		address2:     "street2 addressline2 addr2",
		city:         "town cityname",
		country:      "countrycode countryname",
		region:       "state province stateprovince",
		zip:          "zipcode postcode postalcode postal",
		ip:           "ipaddress",
		latitude:     "lat",
		longitude:    "lng lon",
	} {
		for name := range strings.FieldsSeq(names) {
			all[name] = t
		}
	}
	return all
}()
