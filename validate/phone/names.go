package phone

// countryNames are the alpha-3 code and the English names of each region: those of golang.org/x/text/language/display,
// the short names of ISO 3166 where they differ, and what people write. That package itself has the names in all
// languages, which would be an eighth of the program.
const countryNames = `AC: ASC; Ascension Island
AD: AND; Andorra
AE: ARE; United Arab Emirates; UAE
AF: AFG; Afghanistan
AG: ATG; Antigua & Barbuda
AI: AIA; Anguilla
AL: ALB; Albania
AM: ARM; Armenia
AO: AGO; Angola
AR: ARG; Argentina
AS: ASM; American Samoa
AT: AUT; Austria
AU: AUS; Australia
AW: ABW; Aruba
AX: ALA; Åland Islands; Åland
AZ: AZE; Azerbaijan
BA: BIH; Bosnia & Herzegovina
BB: BRB; Barbados
BD: BGD; Bangladesh
BE: BEL; Belgium
BF: BFA; Burkina Faso
BG: BGR; Bulgaria
BH: BHR; Bahrain
BI: BDI; Burundi
BJ: BEN; Benin
BL: BLM; St. Barthélemy
BM: BMU; Bermuda
BN: BRN; Brunei; Brunei Darussalam
BO: BOL; Bolivia; Bolivia, Plurinational State of; Plurinational State of Bolivia
BQ: BES; Caribbean Netherlands; Bonaire; Bonaire, Sint Eustatius and Saba
BR: BRA; Brazil
BS: BHS; Bahamas
BT: BTN; Bhutan
BW: BWA; Botswana
BY: BLR; Belarus
BZ: BLZ; Belize
CA: CAN; Canada
CC: CCK; Cocos (Keeling) Islands; Cocos Islands; Keeling Islands
CD: COD; Congo - Kinshasa
CD: Democratic Republic of the Congo; Congo, Democratic Republic of the; DR Congo; Congo (DRC); DRC; Congo-Kinshasa
CF: CAF; Central African Republic
CG: COG; Congo - Brazzaville; Republic of the Congo; Congo (Republic); Congo-Brazzaville
CH: CHE; Switzerland
CI: CIV; Côte d’Ivoire; Ivory Coast
CK: COK; Cook Islands
CL: CHL; Chile
CM: CMR; Cameroon
CN: CHN; China; People's Republic of China; Mainland China
CO: COL; Colombia
CR: CRI; Costa Rica
CU: CUB; Cuba
CV: CPV; Cape Verde; Cabo Verde
CW: CUW; Curaçao
CX: CXR; Christmas Island
CY: CYP; Cyprus
CZ: CZE; Czechia; Czech Republic
DE: DEU; Germany; Federal Republic of Germany
DJ: DJI; Djibouti
DK: DNK; Denmark
DM: DMA; Dominica
DO: DOM; Dominican Republic; Dominican Rep.
DZ: DZA; Algeria
EC: ECU; Ecuador
EE: EST; Estonia
EG: EGY; Egypt
EH: ESH; Western Sahara
ER: ERI; Eritrea
ES: ESP; Spain
ET: ETH; Ethiopia
FI: FIN; Finland
FJ: FJI; Fiji
FK: FLK; Falkland Islands; Falkland Islands (Malvinas)
FM: FSM; Micronesia; Micronesia, Federated States of; Federated States of Micronesia
FO: FRO; Faroe Islands; Faeroe Islands
FR: FRA; France
GA: GAB; Gabon
GB: GBR; United Kingdom; UK; Great Britain; Britain; England; Scotland; Wales; Northern Ireland
GB: United Kingdom of Great Britain and Northern Ireland; United Kingdom (UK)
GD: GRD; Grenada
GE: GEO; Georgia
GF: GUF; French Guiana
GG: GGY; Guernsey
GH: GHA; Ghana
GI: GIB; Gibraltar
GL: GRL; Greenland
GM: GMB; Gambia; The Gambia
GN: GIN; Guinea
GP: GLP; Guadeloupe
GQ: GNQ; Equatorial Guinea
GR: GRC; Greece
GT: GTM; Guatemala
GU: GUM; Guam
GW: GNB; Guinea-Bissau
GY: GUY; Guyana
HK: HKG; Hong Kong SAR China; Hong Kong; Hong Kong SAR; Hong Kong, China
HN: HND; Honduras
HR: HRV; Croatia
HT: HTI; Haiti
HU: HUN; Hungary
ID: IDN; Indonesia
IE: IRL; Ireland; Republic of Ireland
IL: ISR; Israel
IM: IMN; Isle of Man
IN: IND; India
IO: IOT; British Indian Ocean Territory
IQ: IRQ; Iraq
IR: IRN; Iran; Iran, Islamic Republic of; Islamic Republic of Iran
IS: ISL; Iceland
IT: ITA; Italy
JE: JEY; Jersey
JM: JAM; Jamaica
JO: JOR; Jordan
JP: JPN; Japan
KE: KEN; Kenya
KG: KGZ; Kyrgyzstan
KH: KHM; Cambodia
KI: KIR; Kiribati
KM: COM; Comoros
KN: KNA; St. Kitts & Nevis; Saint Kitts
KP: PRK; North Korea
KP: Korea, Democratic People's Republic of; Democratic People's Republic of Korea; Korea, North; DPRK
KR: KOR; South Korea; Korea, Republic of; Republic of Korea; Korea, South
KW: KWT; Kuwait
KY: CYM; Cayman Islands
KZ: KAZ; Kazakhstan
LA: LAO; Laos; Lao People's Democratic Republic; Lao PDR
LB: LBN; Lebanon
LC: LCA; St. Lucia
LI: LIE; Liechtenstein
LK: LKA; Sri Lanka
LR: LBR; Liberia
LS: LSO; Lesotho
LT: LTU; Lithuania
LU: LUX; Luxembourg
LV: LVA; Latvia
LY: LBY; Libya; State of Libya
MA: MAR; Morocco
MC: MCO; Monaco
MD: MDA; Moldova; Moldova, Republic of; Republic of Moldova
ME: MNE; Montenegro
MF: MAF; St. Martin; Saint Martin (French part)
MG: MDG; Madagascar
MH: MHL; Marshall Islands
MK: MKD; Macedonia; North Macedonia; Republic of North Macedonia; The former Yugoslav Republic of Macedonia
ML: MLI; Mali
MM: MMR; Myanmar (Burma); Myanmar; Burma
MN: MNG; Mongolia
MO: MAC; Macau SAR China; Macau; Macao; Macao SAR; Macau SAR; Macao SAR China; Macao, China
MP: MNP; Northern Mariana Islands
MQ: MTQ; Martinique
MR: MRT; Mauritania
MS: MSR; Montserrat
MT: MLT; Malta
MU: MUS; Mauritius
MV: MDV; Maldives
MW: MWI; Malawi
MX: MEX; Mexico
MY: MYS; Malaysia
MZ: MOZ; Mozambique
NA: NAM; Namibia
NC: NCL; New Caledonia
NE: NER; Niger
NF: NFK; Norfolk Island
NG: NGA; Nigeria
NI: NIC; Nicaragua
NL: NLD; Netherlands; Holland; Netherlands, Kingdom of the; Kingdom of the Netherlands
NO: NOR; Norway
NP: NPL; Nepal
NR: NRU; Nauru
NU: NIU; Niue
NZ: NZL; New Zealand
OM: OMN; Oman
PA: PAN; Panama
PE: PER; Peru
PF: PYF; French Polynesia
PG: PNG; Papua New Guinea
PH: PHL; Philippines; The Philippines
PK: PAK; Pakistan
PL: POL; Poland
PM: SPM; St. Pierre & Miquelon
PR: PRI; Puerto Rico
PS: PSE; Palestinian Territories; Palestine; Palestine, State of; State of Palestine; Palestinian Territory, Occupied
PT: PRT; Portugal
PW: PLW; Palau
PY: PRY; Paraguay
QA: QAT; Qatar
RE: REU; Réunion
RO: ROU; Romania
RS: SRB; Serbia
RU: RUS; Russia; Russian Federation
RW: RWA; Rwanda
SA: SAU; Saudi Arabia
SB: SLB; Solomon Islands
SC: SYC; Seychelles
SD: SDN; Sudan
SE: SWE; Sweden
SG: SGP; Singapore
SH: SHN; St. Helena; Saint Helena, Ascension and Tristan da Cunha
SI: SVN; Slovenia
SJ: SJM; Svalbard & Jan Mayen; Svalbard
SK: SVK; Slovakia
SL: SLE; Sierra Leone
SM: SMR; San Marino
SN: SEN; Senegal
SO: SOM; Somalia
SR: SUR; Suriname
SS: SSD; South Sudan
ST: STP; São Tomé & Príncipe
SV: SLV; El Salvador
SX: SXM; Sint Maarten; Sint Maarten (Dutch part)
SY: SYR; Syria; Syrian Arab Republic
SZ: SWZ; Swaziland; Eswatini
TA: TAA; Tristan da Cunha
TC: TCA; Turks & Caicos Islands
TD: TCD; Chad
TG: TGO; Togo
TH: THA; Thailand
TJ: TJK; Tajikistan
TK: TKL; Tokelau
TL: TLS; Timor-Leste; East Timor
TM: TKM; Turkmenistan
TN: TUN; Tunisia
TO: TON; Tonga
TR: TUR; Turkey; Türkiye
TT: TTO; Trinidad & Tobago
TV: TUV; Tuvalu
TW: TWN; Taiwan; Taiwan, Province of China; Republic of China; Taiwan, China
TZ: TZA; Tanzania; Tanzania, United Republic of; United Republic of Tanzania
UA: UKR; Ukraine
UG: UGA; Uganda
US: USA; United States; U.S.; United States of America; United States (US)
UY: URY; Uruguay
UZ: UZB; Uzbekistan
VA: VAT; Vatican City; Vatican; Holy See
VC: VCT; St. Vincent & Grenadines; Saint Vincent
VE: VEN; Venezuela; Venezuela, Bolivarian Republic of; Bolivarian Republic of Venezuela
VG: VGB; British Virgin Islands; Virgin Islands, British; Virgin Islands (British); BVI
VI: VIR; U.S. Virgin Islands
VI: United States Virgin Islands; US Virgin Islands; Virgin Islands, U.S.; Virgin Islands (U.S.); USVI
VN: VNM; Vietnam; Viet Nam
VU: VUT; Vanuatu
WF: WLF; Wallis & Futuna
WS: WSM; Samoa
XK: XKK; Kosovo; XKX
YE: YEM; Yemen
YT: MYT; Mayotte
ZA: ZAF; South Africa
ZM: ZMB; Zambia
ZW: ZWE; Zimbabwe`
