/** Traditional forms of the characters of the vocabularies that have one form only. */

/** Pairs: the simplified character, then the traditional one. */
const pairs =
  '优優惠惠质質电電话話线線询詢价價热熱销銷厂廠货貨购購买買卖賣专專业業务務员員诚誠聘聘贷貸款款证證费費领領' +
  '开開张張馆館场場乐樂赌賭赛賽赔賠资資账賬钱錢现現网網络絡帐帳户戶号號码碼试試让讓仅僅达達满滿减減' +
  '单單双雙礼禮赠贈实實传傳统統门門问問间間关關联聯发發见見视視频頻欧歐韩韓国國黄黃级級无無码碼师師学學课課' +
  '报報团團队隊产產个個们們为為与與时時对對从從会會过過还還进進运運选選择擇适適导導带帶应應强強归歸当當录錄' +
  '总總战戰户戶扑撲扫掃执執护護报報担擔拥擁拣揀据據损損换換捞撈挂掛' +
  '疗療药藥医醫诊診脱脫肤膚肿腫脑腦胶膠脏髒补補丰豐壮壯岁歲贵貴贴貼贺賀负負财財贫貧贸貿' +
  '车車辆輛轻輕转轉载載软軟轮輪输輸边邊迁遷远遠连連迟遲递遞邮郵乡鄉' +
  '顾顧须須预預额額颜顏题題风風飞飛饭飯馆館饮飲馈饋验驗骗騙骚騷惊驚' +
  '机機权權条條来來极極构構标標样樣栏欄桥橋检檢楼樓欢歡气氣决決没沒济濟洁潔测測浏瀏涨漲温溫湾灣' +
  '点點炼煉烟煙爱愛独獨环環电電畅暢确確离離种種积積称稱稳穩竞競笔筆签簽类類' +
  '精精红紅纯純级級纪紀约約纸紙练練组組细細终終经經结結给給续續维維编編缩縮' +
  '节節荐薦获獲虑慮虫蟲蓝藍药藥装裝制製规規观觀觉覺觅覓触觸计計订訂认認讯訊议議记記许許设設访訪证證评評识識' +
  '诉訴诱誘语語误誤请請诸諸读讀谁誰调調谈談谢謝谨謹变變' +
  '钜鉅铁鐵银銀销銷锁鎖错錯钟鐘钢鋼铺鋪长長闲閒队隊阶階阳陽际際险險随隨难難隐隱' +
  '龙龍马馬鱼魚鲜鮮龄齡齐齊头頭奖獎夺奪妆妝娱娛婴嬰孕孕宝寶审審宽寬宾賓寻尋导導层層属屬' +
  '币幣库庫庆慶庄莊广廣废廢异異弯彎弹彈录錄彻徹征徵径徑态態恼惱悬懸怀懷愿願懒懶' +
  '万萬与與丽麗义義乌烏书書亏虧云雲产產亲親亿億仓倉价價众眾优優伙夥伤傷伦倫伪偽体體余餘儿兒兴興养養内內册冊军軍' +
  '农農冲衝净淨准準减減凭憑击擊刘劉则則刚剛创創别別剂劑办辦动動励勵劳勞势勢医醫华華协協卖賣卫衛历歷厅廳压壓参參双雙发發' +
  '台臺叶葉吗嗎听聽启啟员員咨諮响響园園围圍图圖圆圓块塊坏壞坚堅垃垃处處备備够夠夹夾'

/** Returns the phrase in traditional characters; the same phrase if none differs. */
export function traditionalOf(phrase: string): string {
  let traditional = ''
  for (const character of phrase) traditional += forms.get(character) ?? character
  return traditional
}

const forms = new Map<string, string>()
for (let at = 0; at + 1 < pairs.length; at += 2) forms.set(pairs.charAt(at), pairs.charAt(at + 1))
