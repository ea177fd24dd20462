package main

import "strings"

// people holds the names of one language.
type people struct {
	first, last []name
}

// name is a name, and its form in an email address.
type name struct {
	text
	ascii string
}

// newNames reads a list like "Chloé=chloe Jean=jean". An underscore stands for a space.
func newNames(list string) []name {
	var names []name
	for _, entry := range strings.Fields(list) {
		written, ascii, _ := strings.Cut(entry, "=")
		names = append(names, name{newText(strings.ReplaceAll(written, "_", " ")), ascii})
	}
	return names
}

func newPeople(first, last string) people {
	return people{newNames(first), newNames(last)}
}

// everybody returns the people of each language of the markets.
func everybody() map[string]people {
	return map[string]people{
		"en": newPeople(
			"Ann=ann Olivia=olivia James=james Noah=noah Amelia=amelia Harper=harper Zoë=zoe Seán=sean Siân=sian "+
				"Renée=renee",
			"Smith=smith Walker=walker O'Brien=o'brien Taylor=taylor Hughes=hughes Brontë=bronte Clark=clark "+
				"Ó_Súilleabháin=osullivan"),
		"fr": newPeople(
			"Chloé=chloe Élodie=elodie François=francois Hélène=helene Jérôme=jerome Maël=mael Noémie=noemie "+
				"Anaïs=anais",
			"Lefèvre=lefevre Dupré=dupre Bélanger=belanger Lemaître=lemaitre Noël=noel Rousseau=rousseau "+
				"D'Amours=d'amours"),
		"de": newPeople(
			"Jürgen=juergen Björn=bjoern Käthe=kaethe Sören=soeren Günther=guenther Lena=lena Anneliese=anneliese",
			"Müller=mueller Groß=gross Schäfer=schaefer Weiß=weiss Krüger=krueger Köhler=koehler Bäcker=baecker"),
		"es": newPeople(
			"José=jose María=maria Íñigo=inigo Sofía=sofia Ángel=angel Lucía=lucia Begoña=begona Andrés=andres",
			"García=garcia Muñoz=munoz Hernández=hernandez Núñez=nunez Peña=pena López=lopez Ramírez=ramirez"),
		"pt": newPeople(
			"João=joao Inês=ines Conceição=conceicao António=antonio Luísa=luisa Mônica=monica",
			"Gonçalves=goncalves Magalhães=magalhaes Simões=simoes Araújo=araujo Brandão=brandao"),
		"it": newPeople(
			"Niccolò=niccolo Giulia=giulia Matteo=matteo Fabrizio=fabrizio Noè=noe",
			"Rossi=rossi D'Angelo=d'angelo De_Luca=deluca Cantù=cantu Nicolò=nicolo"),
		"pl": newPeople(
			"Łukasz=lukasz Małgorzata=malgorzata Paweł=pawel Grażyna=grazyna Zofia=zofia",
			"Wójcik=wojcik Zieliński=zielinski Łuczak=luczak Dąbrowski=dabrowski Wróbel=wrobel"),
		"cs": newPeople(
			"Jiří=jiri Zdeněk=zdenek Kateřina=katerina Tomáš=tomas Šárka=sarka",
			"Dvořák=dvorak Novotný=novotny Růžička=ruzicka Říha=riha Černý=cerny"),
		"nordic": newPeople(
			"Åsa=asa Søren=soren Øyvind=oyvind Ingrid=ingrid Maj-Britt=maj-britt Päivi=paivi Mårten=marten",
			"Ångström=angstrom Sjöberg=sjoberg Bjørnson=bjornson Kjær=kjaer Hämäläinen=hamalainen "+
				"Lindqvist=lindqvist"),
		"nl": newPeople(
			"Daniëlle=danielle Sjoerd=sjoerd Loïs=lois Anouk=anouk Geert=geert",
			"van_der_Berg=vanderberg de_Groot=degroot Daniëls=daniels Beeckman=beeckman Van_Damme=vandamme"),
		"tr": newPeople(
			"Ayşe=ayse Çağla=cagla İbrahim=ibrahim Ömer=omer Gülşen=gulsen Yiğit=yigit",
			"Yılmaz=yilmaz Öztürk=ozturk Şahin=sahin Çelik=celik Doğan=dogan Işık=isik"),
		"el": newPeople(
			"Γιώργος=giorgos Ελένη=eleni Δημήτρης=dimitris Μαρία=maria",
			"Παπαδόπουλος=papadopoulos Νικολάου=nikolaou Βασιλείου=vasileiou"),
		"uk": newPeople(
			"Олена=olena Андрій=andrii Наталія=nataliia Юлія=yulia",
			"Шевченко=shevchenko Коваленко=kovalenko Бондаренко=bondarenko"),
		"he": newPeople(
			"נועה=noa יוסף=yosef תמר=tamar אורי=uri דוד=david",
			"כהן=cohen לוי=levi מזרחי=mizrahi פרץ=peretz בן־דוד=bendavid"),
		"ar": newPeople(
			"محمد=mohammed فاطمة=fatima ليلى=layla يوسف=youssef نور=nour",
			"الحربي=alharbi المصري=almasri حداد=haddad خليل=khalil"),
		"hi": newPeople(
			"प्रिया=priya अर्जुन=arjun अनन्या=ananya रोहित=rohit",
			"शर्मा=sharma पटेल=patel गुप्ता=gupta सिंह=singh"),
		"th": newPeople(
			"สมชาย=somchai มาลี=malee ณัฐ=nat",
			"ใจดี=jaidee สุขสันต์=suksan ทองคำ=thongkham"),
		"vi": newPeople(
			"Hương=huong Đức=duc Thảo=thao Quân=quan Linh=linh",
			"Nguyễn=nguyen Trần=tran Phạm=pham Đặng=dang Vũ=vu"),
		"ja": newPeople(
			"陽菜=hina 蓮=ren さくら=sakura 健太=kenta 美咲=misaki 大翔=hiroto ゆい=yui ケンジ=kenji",
			"佐藤=sato 鈴木=suzuki 髙橋=takahashi 𠮷田=yoshida 渡邉=watanabe 山﨑=yamazaki 中村=nakamura"),
		"zh": newPeople(
			"伟=wei 芳=fang 子涵=zihan 梓轩=zixuan 秀英=xiuying 一诺=yinuo",
			"王=wang 李=li 张=zhang 刘=liu 陈=chen 欧阳=ouyang"),
		"zh-Hant": newPeople(
			"怡君=yijun 志明=zhiming 雅婷=yating 家豪=jiahao",
			"陳=chen 林=lin 黃=huang 張=chang"),
		"ko": newPeople(
			"민준=minjun 서연=seoyeon 지우=jiwoo 하은=haeun",
			"김=kim 이=lee 박=park 최=choi"),
	}
}
