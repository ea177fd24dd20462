package main

import "strings"

// market is a country that the shop sells to.
type market struct {
	code    string // ISO 3166 alpha-2
	country text
	locale  string
	people  people
	phones  phones
	places  []place
}

// place is a town of a market.
type place struct {
	city                text
	zip, zone           string // zip and the coordinates are patterns of dice.fill
	latitude, longitude string
}

// newMarket reads places like "Paris,750##,Europe/Paris,48.85##,2.35##|…".
func newMarket(code, country, locale string, people people, phones phones, places string) market {
	m := market{code: code, country: newText(country), locale: locale, people: people, phones: phones}
	for entry := range strings.SplitSeq(places, "|") {
		f := strings.Split(entry, ",")
		m.places = append(m.places, place{newText(f[0]), f[1], f[2], f[3], f[4]})
	}
	return m
}

// markets returns the shop's markets. A market that occurs twice has twice as many customers.
func markets() []market {
	p := everybody()
	us := newMarket("US", "United States", "en-US", p["en"],
		newPhones("1", "", "212 N## ####|415 N## ####|312 N## ####"),
		"New York,100##,America/New_York,40.71##,-74.00##|"+
			"San José,951##,America/Los_Angeles,37.33##,-121.88##|Cañon City,81212,America/Denver,38.44##,-105.24##")
	gb := newMarket("GB", "United Kingdom", "en-GB", p["en"], newPhones("44", "0", "7400 1#####|20 7### ####"),
		"London,SW1A #AA,Europe/London,51.50##,-0.12##|Bath,BA1 #LR,Europe/London,51.38##,-2.35##")
	fr := newMarket("FR", "France", "fr-FR", p["fr"], newPhones("33", "0", "6 12 ## ## ##|1 42 ## ## ##"),
		"Paris,750##,Europe/Paris,48.85##,2.35##|Orléans,45000,Europe/Paris,47.90##,1.90##|"+
			"Besançon,25000,Europe/Paris,47.23##,6.02##")
	de := newMarket("DE", "Germany", "de-DE", p["de"], newPhones("49", "0", "151 #### ####|30 2### ####"),
		"Köln,506##,Europe/Berlin,50.93##,6.95##|München,803##,Europe/Berlin,48.13##,11.57##|"+
			"Berlin,101##,Europe/Berlin,52.52##,13.40##")
	jp := newMarket("JP", "Japan", "ja-JP", p["ja"], newPhones("81", "0", "90 P### ####|3 5### ####"),
		"東京都渋谷区,150-00##,Asia/Tokyo,35.66##,139.70##|大阪市,530-00##,Asia/Tokyo,34.69##,135.50##|"+
			"札幌市,060-00##,Asia/Tokyo,43.06##,141.35##")
	return []market{
		us, us, us, gb, gb, fr, fr, de, de, jp, jp, jp,
		newMarket("CA", "Canada", "fr-CA", p["fr"], newPhones("1", "", "514 N## ####|416 N## ####"),
			"Montréal,H2X #Y#,America/Toronto,45.50##,-73.56##|Québec,G1R #A#,America/Toronto,46.81##,-71.20##"),
		newMarket("IE", "Ireland", "en-IE", p["en"], newPhones("353", "0", "87 ### ####"),
			"Dún Laoghaire,A96 ####,Europe/Dublin,53.29##,-6.13##"),
		newMarket("AU", "Australia", "en-AU", p["en"], newPhones("61", "0", "412 ### ###"),
			"Sydney,20##,Australia/Sydney,-33.86##,151.20##"),
		newMarket("AT", "Austria", "de-AT", p["de"], newPhones("43", "0", "664 #######"),
			"Wien,10#0,Europe/Vienna,48.20##,16.37##|Sankt Pölten,3100,Europe/Vienna,48.20##,15.62##"),
		newMarket("CH", "Switzerland", "de-CH", p["de"], newPhones("41", "0", "79 ### ## ##"),
			"Zürich,80##,Europe/Zurich,47.37##,8.54##|Genève,12##,Europe/Zurich,46.20##,6.14##"),
		newMarket("ES", "Spain", "es-ES", p["es"], newPhones("34", "", "612 ### ###|91 ### ## ##"),
			"Málaga,290##,Europe/Madrid,36.72##,-4.42##|Logroño,260##,Europe/Madrid,42.46##,-2.44##"),
		newMarket("MX", "Mexico", "es-MX", p["es"], newPhones("52", "", "55 1### ####"),
			"Ciudad de México,06###,America/Mexico_City,19.43##,-99.13##|"+
				"Mérida,97###,America/Merida,20.96##,-89.62##"),
		newMarket("AR", "Argentina", "es-AR", p["es"], newPhones("54", noNational, "9 11 2### ####"),
			"Córdoba,50##,America/Argentina/Cordoba,-31.42##,-64.18##"),
		newMarket("BR", "Brazil", "pt-BR", p["pt"], newPhones("55", "0", "11 98### ####"),
			"São Paulo,010##-###,America/Sao_Paulo,-23.55##,-46.63##|"+
				"Brasília,700##-###,America/Sao_Paulo,-15.79##,-47.88##"),
		newMarket("PT", "Portugal", "pt-PT", p["pt"], newPhones("351", "", "912 ### ###"),
			"Évora,70##-###,Europe/Lisbon,38.57##,-7.91##|Lisboa,11##-###,Europe/Lisbon,38.72##,-9.13##"),
		newMarket("IT", "Italy", "it-IT", p["it"], newPhones("39", "", "347 ### ####|02 3### ####"),
			"Milano,201##,Europe/Rome,45.46##,9.18##|Forlì,4712#,Europe/Rome,44.22##,12.04##"),
		newMarket("PL", "Poland", "pl-PL", p["pl"], newPhones("48", "", "601 ### ###"),
			"Łódź,90-0##,Europe/Warsaw,51.75##,19.45##|Kraków,30-0##,Europe/Warsaw,50.06##,19.94##"),
		newMarket("CZ", "Czechia", "cs-CZ", p["cs"], newPhones("420", "", "602 ### ###"),
			"Plzeň,301 ##,Europe/Prague,49.74##,13.37##"),
		newMarket("SE", "Sweden", "sv-SE", p["nordic"], newPhones("46", "0", "70 ### ## ##"),
			"Malmö,211 ##,Europe/Stockholm,55.60##,13.00##"),
		newMarket("NO", "Norway", "nb-NO", p["nordic"], newPhones("47", "", "41 ## ## ##"),
			"Tromsø,90##,Europe/Oslo,69.64##,18.95##"),
		newMarket("DK", "Denmark", "da-DK", p["nordic"], newPhones("45", "", "26 ## ## ##"),
			"København,21##,Europe/Copenhagen,55.67##,12.56##"),
		newMarket("FI", "Finland", "fi-FI", p["nordic"], newPhones("358", "0", "40 ### ####"),
			"Jyväskylä,401##,Europe/Helsinki,62.24##,25.74##"),
		newMarket("NL", "Netherlands", "nl-NL", p["nl"], newPhones("31", "0", "6 12 ## ## ##"),
			"Amsterdam,10## AB,Europe/Amsterdam,52.37##,4.89##"),
		newMarket("BE", "Belgium", "nl-BE", p["nl"], newPhones("32", "0", "470 ## ## ##"),
			"Liège,40##,Europe/Brussels,50.63##,5.57##"),
		newMarket("TR", "Türkiye", "tr-TR", p["tr"], newPhones("90", "0", "532 ### ####"),
			"İstanbul,34###,Europe/Istanbul,41.00##,28.97##|Eskişehir,26###,Europe/Istanbul,39.77##,30.52##"),
		newMarket("GR", "Greece", "el-GR", p["el"], newPhones("30", "", "694 ### ####"),
			"Αθήνα,10# ##,Europe/Athens,37.98##,23.72##"),
		newMarket("UA", "Ukraine", "uk-UA", p["uk"], newPhones("380", "0", "67 ### ####"),
			"Київ,010##,Europe/Kyiv,50.45##,30.52##"),
		newMarket("IL", "Israel", "he-IL", p["he"], newPhones("972", "0", "52 2## ####"),
			"תל אביב־יפו,61#####,Asia/Jerusalem,32.08##,34.78##"),
		newMarket("SA", "Saudi Arabia", "ar-SA", p["ar"], newPhones("966", "0", "50 ### ####"),
			"الرياض,11###,Asia/Riyadh,24.71##,46.67##"),
		newMarket("EG", "Egypt", "ar-EG", p["ar"], newPhones("20", "0", "100 ### ####"),
			"القاهرة,115##,Africa/Cairo,30.04##,31.23##"),
		newMarket("IN", "India", "hi-IN", p["hi"], newPhones("91", "0", "98### #####"),
			"मुंबई,4000##,Asia/Kolkata,19.07##,72.87##"),
		newMarket("TH", "Thailand", "th-TH", p["th"], newPhones("66", "0", "81 ### ####"),
			"กรุงเทพมหานคร,10###,Asia/Bangkok,13.75##,100.50##"),
		newMarket("VN", "Vietnam", "vi-VN", p["vi"], newPhones("84", "0", "91 ### ## ##"),
			"Đà Nẵng,550###,Asia/Ho_Chi_Minh,16.05##,108.20##"),
		newMarket("CN", "China", "zh-CN", p["zh"], newPhones("86", "", "138 #### ####"),
			"上海市,2000##,Asia/Shanghai,31.23##,121.47##|深圳市,5180##,Asia/Shanghai,22.54##,114.05##"),
		newMarket("TW", "Taiwan", "zh-TW", p["zh-Hant"], newPhones("886", "0", "912 ### ###"),
			"臺北市,100##,Asia/Taipei,25.03##,121.56##"),
		newMarket("KR", "South Korea", "ko-KR", p["ko"], newPhones("82", "0", "10 2### ####"),
			"서울특별시,04###,Asia/Seoul,37.56##,126.97##"),
		newMarket("ZA", "South Africa", "en-ZA", p["en"], newPhones("27", "0", "82 ### ####"),
			"Cape Town,80##,Africa/Johannesburg,-33.92##,18.42##"),
		newMarket("NG", "Nigeria", "en-NG", p["en"], newPhones("234", "0", "803 ### ####"),
			"Lagos,1012##,Africa/Lagos,6.52##,3.37##"),
	}
}
