#!/usr/bin/env python3
"""Adds the rows on standard input to a Klaviyo list with Python's standard library, as scripts written by hand do.

    by_hand.py URL LIST < rows.ndjson > results.ndjson

It checks what such scripts check: JSON, the address by a regular expression, and duplicate addresses. It leaves out phone
numbers that are not in international form.
"""
import json
import os
import re
import sys
import time
import urllib.error
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
        headers = {
            "Authorization": "Klaviyo-API-Key " + os.environ["KLAVIYO_API_KEY"], "revision": "2026-07-15",
            "Content-Type": "application/vnd.api+json", "Accept": "application/vnd.api+json",
        }
        for pause in (1, 2, 4, 8, 16, None):
            request = urllib.request.Request(self.url + "/api/profile-bulk-import-jobs", body, headers)
            try:
                with urllib.request.urlopen(request, timeout=120) as answer:
                    return json.load(answer)["data"]["id"]
            except urllib.error.HTTPError as error:
                if pause is None or error.code != 429 and error.code < 500:
                    raise
                time.sleep(float(error.headers.get("Retry-After") or pause))


def main():
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


if __name__ == "__main__":
    main()
