// Adds the rows on standard input to a Klaviyo list with Klaviyo's own package for Node, klaviyo-api:
//
//     node sdk.js URL LIST < rows.ndjson > results.ndjson
//
// It checks what such scripts check: JSON, the address by a regular expression, and duplicate addresses. It leaves out phone
// numbers that are not in international form. JSON.parse rounds integers above 2^53.
'use strict'
const { once } = require('node:events')
const { ApiKeySession, ProfilesApi, ProfileEnum, ProfileBulkImportJobEnum, ListEnum } = require('klaviyo-api')

const ROWS = 10_000
const BYTES = 4_900_000
const EMAIL = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/
const SEPARATORS = /tel:|[\s().-]/g
const PHONE = /^\+[1-9][0-9]{6,14}$/
const OWN = new Map(Object.entries({
  external_id: 'externalId', first_name: 'firstName', last_name: 'lastName', organization: 'organization',
  locale: 'locale', title: 'title', image: 'image', _kx: 'kx',
}))
const PLACE = new Set(['address1', 'address2', 'city', 'country', 'region', 'zip', 'timezone', 'ip', 'latitude', 'longitude'])

const [url, list] = process.argv.slice(2)
const api = new ProfilesApi(new ApiKeySession(process.env.KLAVIYO_API_KEY))
api.basePath = url

// profile returns a row's profile, or throws.
function profile (row) {
  if (row === null || typeof row !== 'object' || Array.isArray(row)) throw new Error('not an object')
  const email = typeof row.email === 'string' ? row.email.trim() : ''
  if (!EMAIL.test(email)) throw new Error('no email address')
  const own = { email }
  const place = {}
  const custom = {}
  for (const [name, value] of Object.entries(row)) {
    if (value === null || name === 'email') continue
    if (name === 'phone_number') {
      const number = String(value).replace(SEPARATORS, '')
      if (PHONE.test(number)) own.phoneNumber = number
    } else if (OWN.has(name)) own[OWN.get(name)] = value
    else if (PLACE.has(name)) place[name] = value
    else if (name === 'location' && typeof value === 'object') Object.assign(place, value)
    else if (name === 'properties' && typeof value === 'object') Object.assign(custom, value)
    else custom[name] = value
  }
  if (Object.keys(place).length > 0) own.location = place
  if (Object.keys(custom).length > 0) own.properties = custom
  return { type: ProfileEnum.Profile, attributes: own }
}

let profiles = []
let size = 0
let results = []

// send sends the collected profiles and prints the waiting results.
async function send () {
  let job
  if (profiles.length > 0) {
    const answer = await api.bulkImportProfiles({
      data: {
        type: ProfileBulkImportJobEnum.ProfileBulkImportJob,
        attributes: { profiles: { data: profiles } },
        relationships: { lists: { data: [{ type: ListEnum.List, id: list }] } },
      },
    })
    job = answer.body.data.id
  }
  const lines = results.map(r => JSON.stringify(r.status === 'accepted' ? { ...r, job } : r) + '\n').join('')
  profiles = []
  size = 0
  results = []
  if (!process.stdout.write(lines)) await once(process.stdout, 'drain')
}

// lines yields the lines of a stream. node:readline would also cut at U+2028, which may occur in JSON.
async function * lines (stream) {
  stream.setEncoding('utf8')
  let rest = ''
  for await (const chunk of stream) {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop()
    yield * parts
  }
  if (rest !== '') yield rest
}

async function main () {
  const seen = new Map()
  let number = 0
  for await (const line of lines(process.stdin)) {
    number++
    const result = { type: 'row', row: number, status: 'accepted' }
    let made
    try {
      made = profile(JSON.parse(line))
    } catch (error) {
      results.push({ ...result, status: 'rejected', detail: error.message.slice(0, 200) })
      continue
    }
    result.key = made.attributes.email
    const person = result.key.toLowerCase()
    if (seen.has(person)) {
      results.push({ ...result, status: 'skipped', of: seen.get(person) })
      continue
    }
    seen.set(person, number)
    const about = Buffer.byteLength(line) + 100 // estimates the profile's size without encoding it twice
    if (profiles.length === ROWS || size + about > BYTES) await send()
    profiles.push(made)
    size += about
    results.push(result)
  }
  await send()
}

main().catch(error => {
  console.error(error.response?.data ?? error)
  process.exitCode = 1
})
