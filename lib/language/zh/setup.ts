/** `schema` and `validate`, and the checks of placeholders in prompts. */
export const setup = {
  'print the JSON Schema of recipes, for editors': '打印配方的 JSON Schema，供编辑器使用',
  'check a recipe and the files that it names, offline: no server is called, no source is read':
    '离线检查配方及其引用的文件：不调用服务器，不读取数据源',
  'a YAML file; - reads standard input': 'YAML 文件；- 表示读取标准输入',
  'warning: {0} {1}': '警告：{0} {1}',
  '{0} is valid\n': '{0} 有效\n',
  'has {0}, which is sent unchanged: no field of the record has this name; fields are {1}':
    '含有 {0}，它会原样发送：记录中没有这个名称的字段；可用字段有 {1}',
  'has {0}, which is not a field of the record; did you mean {1}? Write {2} to send it unchanged':
    '含有 {0}，它不是记录的字段；您是否想写 {1}？若要原样发送，请写成 {2}',
} as const
