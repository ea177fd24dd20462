#!/usr/bin/env python3
"""Adds the rows on standard input to a Klaviyo list with Python's standard library, as scripts written by hand do.

    by_hand.py URL LIST [OPERATION [STATE]] < rows.ndjson > results.ndjson

OPERATION is verify, state, changes, remove, mirror, members, subscribe, unsubscribe or lists. STATE is the file that
state and changes compare with.

It checks what such scripts check: JSON, the address by a regular expression, and duplicate addresses. It leaves out phone
numbers that are not in international form.
"""
import hashlib
import json
import os
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

ROWS, BYTES = 10_000, 4_900_000
EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
SEPARATORS = re.compile(r"tel:|[\s().-]")
PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
OWN = {"external_id", "first_name", "last_name", "organization", "locale", "title", "image", "_kx"}
PLACE = {"address1", "address2", "city", "country", "region", "zip", "timezone", "ip", "latitude", "longitude"}


def profile(row):
    """Returns a row's profile, or raises ValueError."""
    if not isinstance(row, dict):
        raise ValueError("not an object")
    email = row.get("email")
    if not isinstance(email, str) or not EMAIL.fullmatch(email.strip()):
        raise ValueError("no email address")
    own, place, custom = {"email": email.strip()}, {}, {}
    for name, value in row.items():
        if value is None or name == "email":
            continue
        if name == "phone_number":
            number = SEPARATORS.sub("", str(value))
            if PHONE.fullmatch(number):
                own[name] = number
        elif name in OWN:
            own[name] = value
        elif name in PLACE:
            place[name] = value
        elif name == "location" and isinstance(value, dict):
            place.update(value)
        elif name == "properties" and isinstance(value, dict):
            custom.update(value)
        else:
            custom[name] = value
    if place:
        own["location"] = place
    if custom:
        own["properties"] = custom
    return {"type": "profile", "attributes": own}


class Import:
    """Collects profiles and sends them when a request is full."""

    def __init__(self, url, list_id):
        self.url, self.list_id = url, list_id
        self.profiles, self.size, self.results = [], 0, []

    def add(self, encoded, result):
        if len(self.profiles) == ROWS or self.size + len(encoded) > BYTES:
            self.send()
        self.profiles.append(encoded)
        self.size += len(encoded) + 1
        self.results.append(result)

    def send(self):
        job = None
        if self.profiles:
            job = self.post()
        for result in self.results:
            if result["status"] == "accepted":
                result["job"] = job
            sys.stdout.write(json.dumps(result, ensure_ascii=False, separators=(",", ":")) + "\n")
        self.profiles, self.size, self.results = [], 0, []

    def post(self):
        body = (
            b'{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":[' + b",".join(self.profiles)
            + b']}},"relationships":{"lists":{"data":[{"type":"list","id":"' + self.list_id.encode() + b'"}]}}}}'
        )
        return call(self.url + "/api/profile-bulk-import-jobs", body)["data"]["id"]


HEADERS = {
    "Authorization": "Klaviyo-API-Key " + os.environ["KLAVIYO_API_KEY"], "revision": "2026-07-15",
    "Content-Type": "application/vnd.api+json", "Accept": "application/vnd.api+json",
}


def call(url, body=None, method=None):
    """Sends a request, again after a refusal that passes, and returns the answer."""
    for pause in (1, 2, 4, 8, 16, None):
        request = urllib.request.Request(url, body, HEADERS, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            if pause is None or error.code != 429 and error.code < 500:
                raise
            time.sleep(float(error.headers.get("Retry-After") or pause))


def add():
    requests, seen = Import(sys.argv[1], sys.argv[2]), {}
    for number, line in enumerate(sys.stdin.buffer, 1):
        result = {"type": "row", "row": number, "status": "accepted"}
        try:
            made = profile(json.loads(line))
            encoded = json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()
        except (ValueError, RecursionError) as error:
            result.update(status="rejected", detail=str(error)[:200])
            requests.results.append(result)
            continue
        result["key"] = made["attributes"]["email"]
        person = result["key"].lower()
        if person in seen:
            result.update(status="skipped", of=seen[person])
            requests.results.append(result)
            continue
        seen[person] = number
        requests.add(encoded, result)
    requests.send()


def parts(things, size):
    return (things[i:i + size] for i in range(0, len(things), size))


def emit(result):
    sys.stdout.write(json.dumps(result, ensure_ascii=False, separators=(",", ":")) + "\n")


def read():
    """Yields good rows: number, address and encoded profile. Prints the results of all others."""
    seen = {}
    for number, line in enumerate(sys.stdin.buffer, 1):
        try:
            made = profile(json.loads(line))
        except (ValueError, RecursionError) as error:
            emit({"type": "row", "row": number, "status": "rejected", "detail": str(error)[:200]})
            continue
        email = made["attributes"]["email"]
        if email.lower() in seen:
            emit({"type": "row", "row": number, "status": "skipped", "of": seen[email.lower()]})
            continue
        seen[email.lower()] = number
        yield number, email, json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()


def look_up(url, list_id, emails, consent=False):
    """Returns the list's members by address."""
    found = {}
    for some in parts(emails, 100):
        query = {"fields[profile]": "email,joined_group_at", "page[size]": "100",
                 "filter": "any(email," + json.dumps(some, separators=(",", ":")) + ")"}
        if consent:
            query["additional-fields[profile]"] = "subscriptions"
            query["fields[profile]"] += ",subscriptions"
        for member in pages(url + "/api/lists/" + list_id + "/profiles?" + urllib.parse.urlencode(query)):
            found[member["attributes"]["email"].lower()] = member
    return found


def pages(url):
    """Yields what is on a page and on those after it."""
    while url:
        page = call(url)
        yield from page["data"]
        url = page["links"].get("next")


def send(url, list_id, rows):
    """Imports encoded profiles and returns the ids of the jobs."""
    jobs, size, request = [], 0, Import(url, list_id)
    for _, _, encoded in rows:
        if len(request.profiles) == ROWS or size + len(encoded) > BYTES:
            jobs.append(request.post())
            request.profiles, size = [], 0
        request.profiles.append(encoded)
        size += len(encoded) + 1
    if request.profiles:
        jobs.append(request.post())
    return jobs


def wait(url, jobs):
    for job in jobs:
        while True:
            attributes = call(url + "/api/profile-bulk-import-jobs/" + job)["data"]["attributes"]
            if attributes["status"] == "complete":
                break
            time.sleep(1)
        if attributes["failed_count"]:
            raise SystemExit("rows failed in job " + job)


def delete(url, list_id, ids):
    for some in parts(ids, 1000):
        body = json.dumps({"data": [{"type": "profile", "id": one} for one in some]}).encode()
        call(url + "/api/lists/" + list_id + "/relationships/profiles", body, "DELETE")


def verify(url, list_id, _):
    rows = list(read())
    wait(url, send(url, list_id, rows))
    found = look_up(url, list_id, [email for _, email, _ in rows], consent=True)
    for number, email, _ in rows:
        member = found.get(email.lower())
        result = {"type": "row", "row": number, "status": "applied" if member else "unknown", "key": email}
        if member:
            result["member_since"] = member["attributes"]["joined_group_at"]
        emit(result)


def changed(url, list_id, state):
    known = {}
    if os.path.exists(state):
        with open(state) as file:
            known = json.load(file)
    news = []
    for number, email, encoded in read():
        digest = hashlib.sha256(encoded).hexdigest()
        if known.get(email.lower()) == digest:
            emit({"type": "row", "row": number, "status": "skipped", "key": email})
        else:
            known[email.lower()] = digest
            news.append((number, email, encoded))
    if not news:
        return
    wait(url, send(url, list_id, news))
    with open(state + ".new", "w") as file:
        json.dump(known, file)
    os.replace(state + ".new", state)
    for number, email, _ in news:
        emit({"type": "row", "row": number, "status": "applied", "key": email})


def remove(url, list_id, _):
    rows = list(read())
    for some in parts(rows, 1000):
        found = look_up(url, list_id, [email for _, email, _ in some])
        delete(url, list_id, [member["id"] for member in found.values()])
        for number, email, _ in some:
            emit({"type": "row", "row": number, "key": email,
                  "status": "applied" if email.lower() in found else "skipped"})


def mirror(url, list_id, _):
    rows = list(read())
    wait(url, send(url, list_id, rows))
    wanted = {email.lower() for _, email, _ in rows}
    query = urllib.parse.urlencode({"fields[profile]": "email", "page[size]": "100"})
    members = pages(url + "/api/lists/" + list_id + "/profiles?" + query)
    extra = [member for member in members if member["attributes"]["email"].lower() not in wanted]
    if len(extra) > len(rows) / 100:
        raise SystemExit("too many to remove")
    delete(url, list_id, [member["id"] for member in extra])
    for number, email, _ in rows:
        emit({"type": "row", "row": number, "status": "applied", "key": email})
    for member in extra:
        emit({"type": "member", "status": "removed", "key": member["attributes"]["email"]})


def members(url, list_id, _):
    query = urllib.parse.urlencode({"fields[profile]": "email,joined_group_at", "page[size]": "100"})
    for member in pages(url + "/api/lists/" + list_id + "/profiles?" + query):
        emit({"profile_id": member["id"], "email": member["attributes"]["email"]})


def consent(url, list_id, what, consents, rows, size):
    for some in parts(rows, size):
        profiles = [{"type": "profile", "attributes": {
            "email": email, "subscriptions": {"email": {"marketing": {"consent": consents}}}}} for _, email, _ in some]
        kind = "profile-subscription-bulk-" + what + "-job"
        body = {"data": {"type": kind, "attributes": {"profiles": {"data": profiles}},
                         "relationships": {"list": {"data": {"type": "list", "id": list_id}}}}}
        call(url + "/api/" + kind + "s", json.dumps(body).encode())


def subscribe(url, list_id, _):
    rows = list(read())
    consent(url, list_id, "create", "SUBSCRIBED", rows, 1000)
    found = look_up(url, list_id, [email for _, email, _ in rows], consent=True)
    for number, email, _ in rows:
        member = found.get(email.lower())
        shown = member and member["attributes"]["subscriptions"]["email"]["marketing"]["consent"] == "SUBSCRIBED"
        emit({"type": "row", "row": number, "status": "applied" if shown else "accepted", "key": email})


def unsubscribe(url, list_id, _):
    rows = list(read())
    for some in parts(rows, 100):
        found = look_up(url, list_id, [email for _, email, _ in some])
        there = [row for row in some if row[1].lower() in found]
        consent(url, list_id, "delete", "UNSUBSCRIBED", there, 100)
        for number, email, _ in some:
            emit({"type": "row", "row": number, "key": email,
                  "status": "accepted" if email.lower() in found else "skipped"})


def lists(url, _, __):
    ids, by_list = {}, {}
    for row in read():
        made = json.loads(row[2])
        name = made["attributes"]["properties"].pop("list")
        encoded = json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()
        by_list.setdefault(name, []).append((row[0], row[1], encoded))
    for name, rows in by_list.items():
        query = urllib.parse.urlencode({"filter": 'equals(name,"' + name + '")'})
        ids[name] = call(url + "/api/lists?" + query)["data"][0]["id"]
        send(url, ids[name], rows)
        for number, email, _ in rows:
            emit({"type": "row", "row": number, "status": "accepted", "key": email})


OPERATIONS = {
    "verify": verify, "state": changed, "changes": changed, "remove": remove, "mirror": mirror, "members": members,
    "subscribe": subscribe, "unsubscribe": unsubscribe, "lists": lists,
}


if __name__ == "__main__":
    if len(sys.argv) > 3:
        OPERATIONS[sys.argv[3]](*sys.argv[1:3], sys.argv[4] if len(sys.argv) > 4 else "")
    else:
        add()
