// Makes corpus/territory/ from the npm package @etalab/decoupage-administratif (code MIT, data under
// Licence Ouverte). Run by hand when a new year's package is out:
//
//   npm pack @etalab/decoupage-administratif@6.0.0 && tar xzf etalab-decoupage-administratif-6.0.0.tgz
//   node scripts/territory.mjs package corpus/territory
//
// Four files of lines with tabs, sorted by code, so that a new year reads as a small difference:
// departements.tsv, communes-france.tsv, communes-normandie.tsv, epci-normandie.tsv. What people say beside
// the official names is kept by hand in usages.tsv, which this script leaves alone.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [from, to] = process.argv.slice(2)
if (!from || !to) throw new Error('usage: node scripts/territory.mjs PACKAGE_FOLDER OUTPUT_FOLDER')
const NORMANDY = new Set(['14', '27', '50', '61', '76'])

const read = (name) => JSON.parse(readFileSync(join(from, 'data', `${name}.json`), 'utf8'))
const { version } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'))
const byCode = (a, b) => (a < b ? -1 : a > b ? 1 : 0)
const write = (name, columns, lines) => {
  const head = [`# @etalab/decoupage-administratif ${version} (Insee, DGCL, La Poste; Licence Ouverte), by scripts/territory.mjs`, `# ${columns}`]
  writeFileSync(join(to, name), [...head, ...lines, ''].join('\n'))
}

const communes = read('communes')
const regions = new Map(read('regions').map((r) => [r.code, r.nom]))
const current = communes.filter((c) => c.type === 'commune-actuelle').sort((a, b) => byCode(a.code, b.code))
// What a commune was made of: names where the package has them, else codes alone. A delegated commune may bear
// the code of the commune it is in.
const parts = new Map(current.map((c) => [c.code, new Map()]))
for (const c of current) for (const old of c.anciensCodes ?? []) parts.get(c.code).set(`${old}=`, '')
for (const c of communes) {
  const whole = c.chefLieu ?? c.commune
  if (c.type === 'commune-actuelle' || !parts.has(whole)) continue
  parts.get(whole).delete(`${c.code}=`)
  parts.get(whole).set(`${c.code}=${c.nom}`, '')
}
const formerly = (c) => [...parts.get(c.code).keys()].sort(byCode).join(';')
const department = (c) => c.departement ?? c.collectiviteOutremer?.code ?? c.code.slice(0, 3)

const departments = read('departements').map((d) => [d.code, d.nom, regions.get(d.region) ?? ''])
for (const c of current) {
  const overseas = c.collectiviteOutremer
  if (overseas && !departments.some(([code]) => code === overseas.code)) departments.push([overseas.code, overseas.nom, overseas.nom])
}
write('departements.tsv', 'code, name, region', departments.sort((a, b) => byCode(a[0], b[0])).map((d) => d.join('\t')))

const elsewhere = []
let heading = ''
for (const c of current.filter((x) => !NORMANDY.has(department(x)))) {
  if (department(c) !== heading) elsewhere.push(`@${(heading = department(c))}`)
  elsewhere.push([c.code, c.nom, formerly(c)].join('\t').trimEnd())
}
write('communes-france.tsv', 'outside Normandy: @department, then INSEE code, name, what it was made of (code=name;…)', elsewhere)

const bodies = read('epci')
const bodyOf = new Map(bodies.flatMap((e) => e.membres.map((m) => [m.code, e.code])))
const ours = current.filter((c) => NORMANDY.has(department(c)))
write(
  'communes-normandie.tsv',
  'INSEE code, name, SIREN, municipal population, postcodes, SIREN of its EPCI, what it was made of (code=name;…)',
  ours.map((c) => [c.code, c.nom, c.siren ?? '', c.population ?? '', (c.codesPostaux ?? []).join(','), bodyOf.get(c.code) ?? '', formerly(c)].join('\t').trimEnd())
)
const norman = new Set(ours.map((c) => c.code))
write(
  'epci-normandie.tsv',
  'SIREN, kind, name, municipal population, departments of its Norman communes',
  bodies
    .filter((e) => e.membres.some((m) => norman.has(m.code)))
    .sort((a, b) => byCode(a.code, b.code))
    .map((e) => {
      const of = new Set(e.membres.filter((m) => norman.has(m.code)).map((m) => m.code.slice(0, 2)))
      return [e.code, e.type, e.nom, e.populationMunicipale, [...of].sort(byCode).join(',')].join('\t')
    })
)
