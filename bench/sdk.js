// Adds the rows on standard input to a Klaviyo list with Klaviyo's own package for Node, klaviyo-api:
//
//     node sdk.js URL LIST [OPERATION [STATE]] < rows.ndjson > results.ndjson
//
// OPERATION is verify, state, changes, remove, mirror, members, subscribe, unsubscribe or lists. STATE is the file that state
// and changes compare with.
//
// It checks what such scripts check: JSON, the address by a regular expression, and duplicate addresses. It leaves out phone
// numbers that are not in international form. JSON.parse rounds integers above 2^53.
'use strict'
const { createHash } = require('node:crypto')
const { once } = require('node:events')
const fs = require('node:fs')
const { ApiKeySession, ListsApi, ProfilesApi, ProfileEnum, ProfileBulkImportJobEnum, ListEnum } = require('klaviyo-api')

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

const [url, list, operation, state] = process.argv.slice(2)
const session = new ApiKeySession(process.env.KLAVIYO_API_KEY)
const api = new ProfilesApi(session)
const listsApi = new ListsApi(session)
api.basePath = listsApi.basePath = url

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

// post imports profiles and returns the job's id.
async function post (id, profiles) {
  const answer = await api.bulkImportProfiles({
    data: {
      type: ProfileBulkImportJobEnum.ProfileBulkImportJob,
      attributes: { profiles: { data: profiles } },
      relationships: { lists: { data: [{ type: ListEnum.List, id }] } },
    },
  })
  return answer.body.data.id
}

let profiles = []
let size = 0
let results = []

// send sends the collected profiles and prints the waiting results.
async function send () {
  let job
  if (profiles.length > 0) {
    job = await post(list, profiles)
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

async function add () {
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

function * parts (things, size) {
  for (let i = 0; i < things.length; i += size) yield things.slice(i, i + size)
}

// print prints results, and waits while the reader is slow.
async function print (results) {
  for (const some of parts(results, 1000)) {
    const text = some.map(r => JSON.stringify(r) + '\n').join('')
    if (!process.stdout.write(text)) await once(process.stdout, 'drain')
  }
}

// read returns good rows, and prints the results of all others.
async function read () {
  const seen = new Map()
  const rows = []
  let number = 0
  for await (const line of lines(process.stdin)) {
    number++
    let made
    try {
      made = profile(JSON.parse(line))
    } catch (error) {
      await print([{ type: 'row', row: number, status: 'rejected', detail: error.message.slice(0, 200) }])
      continue
    }
    const email = made.attributes.email
    const person = email.toLowerCase()
    if (seen.has(person)) {
      await print([{ type: 'row', row: number, status: 'skipped', of: seen.get(person) }])
      continue
    }
    seen.set(person, number)
    rows.push({ number, email, person, made, size: Buffer.byteLength(line) + 100 })
  }
  return rows
}

const result = (row, status) => ({ type: 'row', row: row.number, status, key: row.email })

// pages returns all profiles of a list that options ask for.
async function pages (options) {
  const found = []
  for (let pageCursor; ;) {
    const { body } = await listsApi.getProfilesForList(list, { ...options, pageSize: 100, pageCursor })
    found.push(...body.data)
    if (!body.links?.next) return found
    pageCursor = new URL(body.links.next).searchParams.get('page[cursor]')
  }
}

// lookUp returns the list's members by address.
async function lookUp (rows, consent) {
  const options = consent
    ? { additionalFieldsProfile: ['subscriptions'], fieldsProfile: ['email', 'joined_group_at', 'subscriptions'] }
    : { fieldsProfile: ['email', 'joined_group_at'] }
  const found = new Map()
  for (const some of parts(rows, 100)) {
    const filter = 'any(email,' + JSON.stringify(some.map(r => r.email)) + ')'
    for (const member of await pages({ ...options, filter })) found.set(member.attributes.email.toLowerCase(), member)
  }
  return found
}

// importTo imports rows into a list and returns the ids of the jobs.
async function importTo (id, rows) {
  const jobs = []
  let some = []
  let size = 0
  for (const row of rows) {
    if (some.length === ROWS || size + row.size > BYTES) {
      jobs.push(await post(id, some))
      some = []
      size = 0
    }
    some.push(row.made)
    size += row.size
  }
  if (some.length > 0) jobs.push(await post(id, some))
  return jobs
}

async function wait (jobs) {
  for (const job of jobs) {
    for (; ;) {
      const { status, failedCount } = (await api.getBulkImportProfilesJob(job)).body.data.attributes
      if (failedCount > 0) throw new Error('rows failed in job ' + job)
      if (status === 'complete') break
      await new Promise(resolve => setTimeout(resolve, 1000))
    }
  }
}

async function remove (ids) {
  for (const some of parts(ids, 1000)) {
    await listsApi.removeProfilesFromList(list, { data: some.map(id => ({ type: ProfileEnum.Profile, id })) })
  }
}

// consent sets or withdraws the consent of rows.
async function consent (withdraw, rows) {
  const type = `profile-subscription-bulk-${withdraw ? 'delete' : 'create'}-job`
  const consent = withdraw ? 'UNSUBSCRIBED' : 'SUBSCRIBED'
  const data = {
    type,
    attributes: {
      profiles: {
        data: rows.map(row => ({
          type: ProfileEnum.Profile,
          attributes: { email: row.email, subscriptions: { email: { marketing: { consent } } } },
        })),
      },
    },
    relationships: { list: { data: { type: ListEnum.List, id: list } } },
  }
  await (withdraw ? api.bulkUnsubscribeProfiles({ data }) : api.bulkSubscribeProfiles({ data }))
}

async function changed () {
  const known = new Map(fs.existsSync(state) ? Object.entries(JSON.parse(fs.readFileSync(state))) : [])
  const news = []
  const same = []
  for (const row of await read()) {
    const digest = createHash('sha256').update(JSON.stringify(row.made)).digest('hex')
    if (known.get(row.person) === digest) same.push(result(row, 'skipped'))
    else {
      known.set(row.person, digest)
      news.push(row)
    }
  }
  await print(same)
  if (news.length === 0) return
  await wait(await importTo(list, news))
  fs.writeFileSync(state + '.new', JSON.stringify(Object.fromEntries(known)))
  fs.renameSync(state + '.new', state)
  await print(news.map(row => result(row, 'applied')))
}

const operations = {
  state: changed,
  changes: changed,
  async verify () {
    const rows = await read()
    await wait(await importTo(list, rows))
    const found = await lookUp(rows, true)
    await print(rows.map(row => result(row, found.has(row.person) ? 'applied' : 'unknown')))
  },
  async remove () {
    for (const some of parts(await read(), 1000)) {
      const found = await lookUp(some, false)
      await remove([...found.values()].map(member => member.id))
      await print(some.map(row => result(row, found.has(row.person) ? 'applied' : 'skipped')))
    }
  },
  async mirror () {
    const rows = await read()
    await wait(await importTo(list, rows))
    const wanted = new Set(rows.map(row => row.person))
    const extra = (await pages({ fieldsProfile: ['email'] })).filter(m => !wanted.has(m.attributes.email.toLowerCase()))
    if (extra.length > rows.length / 100) throw new Error('too many to remove')
    await remove(extra.map(member => member.id))
    await print(rows.map(row => result(row, 'applied')))
    await print(extra.map(member => ({ type: 'member', status: 'removed', key: member.attributes.email })))
  },
  async members () {
    const all = await pages({ fieldsProfile: ['email', 'joined_group_at'] })
    await print(all.map(member => ({ profile_id: member.id, email: member.attributes.email })))
  },
  async subscribe () {
    const rows = await read()
    for (const some of parts(rows, 1000)) await consent(false, some)
    const found = await lookUp(rows, true)
    const shown = row => found.get(row.person)?.attributes.subscriptions.email.marketing.consent === 'SUBSCRIBED'
    await print(rows.map(row => result(row, shown(row) ? 'applied' : 'accepted')))
  },
  async unsubscribe () {
    for (const some of parts(await read(), 100)) {
      const found = await lookUp(some, false)
      await consent(true, some.filter(row => found.has(row.person)))
      await print(some.map(row => result(row, found.has(row.person) ? 'accepted' : 'skipped')))
    }
  },
  async lists () {
    const byList = new Map()
    for (const row of await read()) {
      const { list: name, ...properties } = row.made.attributes.properties
      row.made.attributes.properties = properties
      if (!byList.has(name)) byList.set(name, [])
      byList.get(name).push(row)
    }
    for (const [name, rows] of byList) {
      const { body } = await listsApi.getLists({ filter: `equals(name,${JSON.stringify(name)})` })
      await importTo(body.data[0].id, rows)
      await print(rows.map(row => result(row, 'accepted')))
    }
  },
}

const job = operation === undefined ? add : operations[operation]
job().catch(error => {
  console.error(error.response?.data ?? error)
  process.exitCode = 1
})
