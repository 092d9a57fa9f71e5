/** The raw text of labelled replies that have none of their own: they are about roses on a balcony. */

/** Pruning and feeding roses through the seasons, with the facts of a plain answer to that. */
export const roses = `阳台养月季，一年到头离不开修剪和施肥两件事。

春天芽点还没有萌动时，先把细弱的枝条和已经干枯的枝条剪去，让养分集中到壮枝上。等新芽长到两三厘米，每隔十天浇一次稀薄的饼肥水，现蕾之后改用磷钾肥，花会开得大一些。

夏季每开完一批花，就要及时把残花连同下面两片叶子一起剪掉，促使它再发新枝。这时气温高，施肥宜淡不宜浓，每半个月一次，中午不要浇水，傍晚浇透即可。

入秋以后只做轻剪，去掉过密的枝条和带病斑的叶子，同时增施一次磷酸二氢钾，浓度约为千分之一，可以延长花期，也能提高植株过冬的能力。

冬天进入休眠，是重剪的时候：只保留三到五个健壮的主枝，每枝留二十厘米左右，其余全部剪除。剪口要斜，离芽点半厘米。修剪后在盆边埋入一层腐熟的有机肥，浇一次透水，放在朝南避风的地方，来年春天自然枝繁花盛。`
